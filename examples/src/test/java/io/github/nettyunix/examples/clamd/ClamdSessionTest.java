package io.github.nettyunix.examples.clamd;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.examples.Running;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import io.netty.bootstrap.Bootstrap;
import io.netty.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertFalse;

/** A session with CPython in clamd's place. */
class ClamdSessionTest {
    /** The daemon would take the third file for the second one. */
    @Test
    void nothingFollowsAFileThatCouldNotBeSent(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "content");
        Path socket = folder.resolve("socket");
        try (Program clamd = Program.start("python3", "-uc", """
                import os, socket, sys
                server = socket.socket(socket.AF_UNIX)
                server.bind(sys.argv[1])
                server.listen()
                print('listening')
                clamd = server.accept()[0]
                files = []
                while len(files) < 2:
                    data, fds, _, _ = socket.recv_fds(clamd, 1000, 2)
                    files += fds
                    if not data:
                        break
                print('files', len(files))
                """, socket.toString()); Running running = new Running()) {
            clamd.awaitLine("listening");
            ClamdSession session = new ClamdSession();
            new Bootstrap().group(running.group()).channel(UnixStreamChannel.class).handler(session)
                    .connect(UnixSocketAddress.of(socket)).sync();
            UnixFileDescriptor closed = UnixFileDescriptor.open(file);
            closed.close();
            List<Future<String>> answers = new ArrayList<>();
            for (UnixFileDescriptor each : List.of(UnixFileDescriptor.open(file), closed,
                    UnixFileDescriptor.open(file))) {
                answers.add(session.scan(each));
            }
            clamd.awaitLine("^files 1$");
            for (Future<String> answer : answers) {
                assertFalse(answer.await().isSuccess());
            }
            assertFalse(session.isOpen());
        }
        Evidence.of("CPython", "nothing follows a file that could not be sent to clamd");
    }
}
