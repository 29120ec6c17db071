package io.github.nettyunix.frameworks.dbus;

import io.github.nettyunix.UnixFileDescriptor;
import org.freedesktop.dbus.FileDescriptor;
import org.freedesktop.dbus.spi.message.AbstractInputStreamMessageReader;
import org.freedesktop.dbus.spi.message.AbstractOutputStreamMessageWriter;
import org.freedesktop.dbus.spi.message.IMessageReader;
import org.freedesktop.dbus.spi.message.IMessageWriter;
import org.freedesktop.dbus.spi.message.ISocketProvider;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * Passes the descriptors of D-Bus messages. See {@link UnixTransportProvider} for how to add it.
 *
 * <p>The descriptors of a message that is sent stay the application's. Those of a message that was received are the
 * application's, which must close them:
 * <pre>{@code
 * UnixFileDescriptor file = UnixFileDescriptor.adopt(fd.getIntFileDescriptor());
 * }</pre>
 */
public final class UnixSocketProvider implements ISocketProvider {
    private boolean passesDescriptors;

    /** Creates the provider. */
    public UnixSocketProvider() {
        // What it knows is set later.
    }

    /** {@inheritDoc} */
    @Override
    public void setFileDescriptorSupport(boolean supported) {
        passesDescriptors = supported;
    }

    /** {@inheritDoc} */
    @Override
    public boolean isFileDescriptorPassingSupported() {
        return passesDescriptors;
    }

    /** Returns {@code null}, so that dbus-java asks another provider, for sockets of other transports. */
    @Override
    public IMessageReader createReader(SocketChannel socket) {
        return socket instanceof BlockingSocket unixSocket ? new Reader(unixSocket, this) : null;
    }

    /** Returns {@code null}, so that dbus-java asks another provider, for sockets of other transports. */
    @Override
    public IMessageWriter createWriter(SocketChannel socket) {
        return socket instanceof BlockingSocket unixSocket ? new Writer(unixSocket, this) : null;
    }

    private static final class Reader extends AbstractInputStreamMessageReader {
        Reader(BlockingSocket socket, UnixSocketProvider provider) {
            super(socket, provider);
        }

        /** Called when the last byte of a message has been read. */
        @Override
        protected List<FileDescriptor> readFileDescriptors(SocketChannel socket) {
            List<FileDescriptor> fds = new ArrayList<>();
            for (UnixFileDescriptor fd : ((BlockingSocket) socket).takeReceived()) {
                fds.add(new FileDescriptor(fd.detach()));
            }
            return fds;
        }
    }

    private static final class Writer extends AbstractOutputStreamMessageWriter {
        Writer(BlockingSocket socket, UnixSocketProvider provider) {
            super(socket, provider);
        }

        /** Called before the first byte of a message is written. */
        @Override
        protected void writeFileDescriptors(SocketChannel socket, List<FileDescriptor> fds) throws IOException {
            List<UnixFileDescriptor> copies = new ArrayList<>();
            try {
                for (FileDescriptor fd : fds == null ? List.<FileDescriptor>of() : fds) {
                    copies.add(UnixFileDescriptor.dup(
                            new io.netty.channel.unix.FileDescriptor(fd.getIntFileDescriptor())));
                }
            } catch (IOException | RuntimeException e) {
                copies.forEach(UnixFileDescriptor::release);
                throw e;
            }
            ((BlockingSocket) socket).sendWithNextBytes(copies);
        }
    }
}
