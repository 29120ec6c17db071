package io.github.nettyunix.process;

import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Starts programs as {@link ChildProcess} does, with a thread of the test's choice. */
public final class ChildProcesses {
    private ChildProcesses() {
    }

    public static ChildProcess start(List<String> command, Map<Integer, ? extends FileDescriptor> descriptors,
            Function<Runnable, Thread> newThread) throws IOException {
        return ChildProcess.start(command, null, descriptors, newThread);
    }
}
