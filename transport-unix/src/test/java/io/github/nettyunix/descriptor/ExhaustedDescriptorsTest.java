package io.github.nettyunix.descriptor;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import org.junit.jupiter.api.Tag;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** A process at its limit of descriptors. */
@Tag("once")
@Tag("user")
class ExhaustedDescriptorsTest {
    /** Receives while no descriptor is free, and after some are free again. */
    static final class Receiver {
        private static final List<UnixFileDescriptor> all = new ArrayList<>();

        public static void main(String[] arguments) {
            try {
                receive(SocketType.valueOf(arguments[0]));
                System.exit(0);
            } catch (Throwable t) {
                t.printStackTrace();
                System.exit(1);
            }
        }

        private static void receive(SocketType type) throws Exception {
            try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.SO_PASSPIDFD, true).start()) {
                send(pair);
                pair.inbox.take(UnixMessage.class).release();
                // Loads what only an error needs while there are descriptors for that.
                assertEquals("ENOENT", open(Path.of("/missing")));
                new ControlDataTruncatedException(type, null, 0, null, null).errnoName();
                // Kept open: a descriptor that is given away would leave room for one that arrives.
                UnixFileDescriptor kept = Descriptors.some(1)[0];
                all.add(kept);
                UnixMessage next = new UnixMessage(ChannelPair.buffer("x"), kept.retain());
                System.out.println(open(Path.of("/dev/null")));
                pair.sender.writeAndFlush(next).sync();
                Object lost = pair.inbox.take();
                all.forEach(UnixFileDescriptor::release);
                all.clear();
                System.out.println(lost.getClass().getSimpleName());
                if (type != SocketType.STREAM) {
                    send(pair);
                    UnixMessage message = pair.inbox.take(UnixMessage.class);
                    System.out.println((message.pidFd() != null) + " " + message.fileDescriptors().size());
                    message.release();
                }
            }
        }

        /** Opens the file as often as possible, and returns why it fails in the end. */
        private static String open(Path path) {
            try {
                for (;;) {
                    all.add(UnixFileDescriptor.open(path));
                }
            } catch (IOException e) {
                return ((UnixSocketError) e).errnoName();
            }
        }

        private static void send(ChannelPair pair) throws Exception {
            pair.sender.writeAndFlush(new UnixMessage(Content.of("x"), Descriptors.some(1))).sync();
        }
    }

    @EachType
    void aLostPidFdIsReported(SocketType type) throws Exception {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "ulimit -n 200; exec \"$@\"", "sh"));
        command.addAll(Jvm.command(Receiver.class));
        command.add(type.name());
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        List<String> expected = new ArrayList<>(List.of("EMFILE", "ControlDataTruncatedException"));
        if (type != SocketType.STREAM) {
            expected.add("true 0");
        }
        try (BufferedReader out = process.inputReader()) {
            assertEquals(expected, out.lines().toList());
        } finally {
            process.destroyForcibly();
        }
        assertEquals(0, process.waitFor());
        Evidence.of("itself", "without free descriptors a lost pidfd is reported, " + type);
    }
}
