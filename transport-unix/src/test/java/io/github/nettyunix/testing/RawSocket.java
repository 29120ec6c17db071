package io.github.nettyunix.testing;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A socket with plain system calls, for states that no channel ever shows to others. */
public final class RawSocket implements AutoCloseable {
    private final UnixSocket socket;

    private RawSocket(int fd) {
        assertTrue(fd >= 0, "errno " + -fd);
        socket = new UnixSocket(fd);
    }

    public static RawSocket of(SocketType type) {
        return new RawSocket(UnixSocket.newSocket(type.ordinal()));
    }

    /** Bound to a path, and not listening. */
    public static RawSocket bound(SocketType type, Path path) {
        return of(type).bind(path.toString().getBytes());
    }

    /** Leaves a stale socket file at the path. */
    public static Path stale(SocketType type, Path path) throws IOException {
        bound(type, path).close();
        return path;
    }

    public RawSocket bind(byte[] name) {
        assertEquals(0, socket.bind(name));
        return this;
    }

    public RawSocket listen(int backlog) {
        assertEquals(0, socket.startListening(backlog));
        return this;
    }

    /** Returns 0 or a negative errno. */
    public int connect(byte[] name) {
        return socket.connect(name);
    }

    /** Returns a connection or a negative errno. */
    public int tryAccept() {
        return socket.acceptConnection(new byte[256]);
    }

    public RawSocket accept() {
        return new RawSocket(tryAccept());
    }

    public byte[] localName() {
        return localName(socket);
    }

    private static byte[] localName(UnixSocket socket) {
        byte[] name = new byte[256];
        return Arrays.copyOf(name, socket.localName(name));
    }

    /** Returns the current name of a channel's socket. */
    public static byte[] localName(UnixChannel channel) {
        return localName(new UnixSocket(channel.fd().intValue()));
    }

    public FileDescriptor fd() {
        return socket;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
