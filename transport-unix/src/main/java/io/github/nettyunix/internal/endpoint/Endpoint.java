package io.github.nettyunix.internal.endpoint;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.channel.ServerChannel;

import java.io.IOException;
import java.net.SocketAddress;
import java.util.Arrays;

/**
 * The addresses of a channel's socket and of its peer, which may be read on any thread, and the operations that set
 * them: bind and connect.
 */
public final class Endpoint {
    private final ChannelCore core;
    private volatile UnixSocketAddress local;
    private volatile UnixSocketAddress remote;
    private SocketFile file;

    public Endpoint(ChannelCore core) {
        this.core = core;
    }

    /** Returns the address that the socket is bound to; {@code null} if it is neither bound nor connected. */
    public UnixSocketAddress local() {
        return local;
    }

    /** Returns the peer's address; {@code null} if there is none. */
    public UnixSocketAddress remote() {
        return remote;
    }

    /** Sets the addresses of a socket that has them already. */
    public void set(UnixSocketAddress local, UnixSocketAddress remote) {
        this.local = local;
        this.remote = remote;
    }

    public void bind(SocketAddress localAddress) throws IOException {
        UnixSocketAddress address = SocketName.toUnixAddress(Operation.BIND, core.type(), localAddress);
        if (address.isPathname()) {
            file = SocketFile.bind(core.type(), core.socket(), address, core.settings().socketFile(),
                    core.channel() instanceof ServerChannel, core::close);
            local = address;
        } else {
            if (address.isUnnamed() && address != UnixSocketAddress.autobind()) {
                // An empty setting is a mistake far more often than a wish for a name that every local process can
                // connect to.
                throw SocketErrors.newException(Operation.BIND, core.type(), address, Errno.EINVAL,
                        "the address is empty; UnixSocketAddress.autobind() lets the kernel choose an abstract name, "
                        + "which no file mode protects");
            }
            try (SocketName name = SocketName.of(Operation.BIND, core.type(), address)) {
                int result = core.socket().bind(name.bytes());
                if (result < 0) {
                    throw SocketErrors.newException(Operation.BIND, core.type(), address, result);
                }
            }
            local = address.isUnnamed() ? chosenByKernel() : address;
        }
    }

    /** The socket listens: what was bound under a temporary name can take its path now. */
    public void publish() throws IOException {
        if (file != null) {
            file.publish();
        }
    }

    private UnixSocketAddress chosenByKernel() throws IOException {
        byte[] name = new byte[UnixSocket.MAX_NAME + 1];
        int length = core.socket().localName(name);
        if (length < 0) {
            // The socket is bound, but nobody knows its name.
            core.close();
            throw core.newException(Operation.GETSOCKNAME, length, null);
        }
        return SocketName.toAddress(Arrays.copyOf(name, length));
    }

    /** Connects at once, or returns false if the server's backlog is full. */
    boolean tryConnect(UnixSocketAddress address) throws IOException {
        try (SocketName name = SocketName.of(Operation.CONNECT, core.type(), address)) {
            int result = core.socket().connect(name.bytes());
            if (result == -Errno.EAGAIN) {
                return false;
            }
            if (result < 0) {
                throw SocketErrors.newException(Operation.CONNECT, core.type(), address, result);
            }
            remote = address;
            if (local == null) {
                // SO_PASSCRED gives a name to a socket without one when it connects.
                local = !core.settings().controlData().wanted().isControlData() ? UnixSocketAddress.unnamed()
                        : chosenByKernel();
            }
            return true;
        }
    }

    public void disconnected() {
        remote = null;
    }

    /** Keeps the file when the channel closes. */
    void keepFile() {
        file = null;
    }

    /** Removes the file that bind has created, if it is still there. */
    public void removeFile() {
        if (file != null) {
            file.remove();
            file = null;
        }
    }
}
