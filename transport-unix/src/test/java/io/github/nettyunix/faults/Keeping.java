package io.github.nettyunix.faults;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.netty.channel.ChannelFuture;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

/**
 * A server whose path is that of a file which is no socket. Whatever fails, the file stays as it is.
 *
 * @param atomically whether the server is to replace what is there atomically
 */
record Keeping(SocketType type, boolean atomically) implements Workload {
    private static final String CONTENT = "precious";

    @Override
    public String title() {
        return type + " server, bind to the path of a regular file" + (atomically ? ", replacing atomically" : "");
    }

    @Override
    public Outcome run(Fault fault) throws Exception {
        Descriptors before = Descriptors.now();
        Outcome outcome = new Outcome(fault);
        Path folder = Files.createTempDirectory("faults");
        Path file = folder.resolve("s");
        Files.writeString(file, CONTENT);
        try {
            fault.arm();
            ChannelFuture bind = FaultyLoop.call(() ->
                    Channels.server(FaultyLoop.GROUP, type, Service.Echo::new).option(UnixSocketOption.SOCKET_FILE,
                            atomically ? SocketFilePolicy.replaceAtomically() : SocketFilePolicy.replaceStale())
                            .bind(UnixSocketAddress.of(file)));
            outcome.await(bind::isDone, () -> "bind");
            Injector.clear();
            assertFalse(bind.isSuccess(), "the path was taken");
            outcome.failed(bind.cause());
            outcome.closed();
            assertEquals(CONTENT, Files.readString(file));
            try (Stream<Path> files = Files.list(folder)) {
                assertEquals(List.of(file), files.toList());
            }
        } finally {
            Injector.clear();
            Serving.deleteAll(folder.toFile());
        }
        before.assertUnchanged();
        return outcome;
    }
}
