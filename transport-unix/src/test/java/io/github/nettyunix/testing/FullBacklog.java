package io.github.nettyunix.testing;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** A server that accepts only on request, with so many clients waiting that the next one finds the backlog full. */
public final class FullBacklog implements AutoCloseable {
    private final RawSocket server;
    private final List<RawSocket> waiting = new ArrayList<>();

    public FullBacklog(SocketType type, Path path) throws IOException {
        server = RawSocket.bound(type, path).listen(1);
        byte[] name = UnixSocketAddress.of(path).bytes();
        RawSocket client = RawSocket.of(type);
        for (; client.connect(name) == 0; client = RawSocket.of(type)) {
            waiting.add(client);
        }
        client.close();
        assertTrue(waiting.size() < 10);
    }

    /** Accepts those that wait, which makes room for others. */
    public void acceptAll() throws IOException {
        for (int i = 0; i < waiting.size(); i++) {
            server.accept().close();
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (RawSocket client : waiting) {
            client.close();
        }
    }
}
