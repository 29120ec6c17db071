package io.github.nettyunix;

import io.github.nettyunix.internal.SocketOptions;
import io.github.nettyunix.internal.read.Acceptor;
import io.github.nettyunix.internal.read.ChannelReader;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.internal.write.ChannelWriter;
import io.netty.channel.ServerChannel;
import io.netty.channel.ServerChannelRecvByteBufAllocator;

import java.io.IOException;
import java.net.SocketAddress;

/** The parts that listening channels of both types have in common. */
abstract class AbstractUnixServerChannel extends AbstractUnixChannel implements ServerChannel {
    private final Acceptor acceptor = new Acceptor(core(), readLoop, this::newChild);

    AbstractUnixServerChannel(SocketType type, UnixSocket socket) {
        super(null, type, SocketOptions.SERVER, socket, new ServerChannelRecvByteBufAllocator(), null);
    }

    @Override
    public final UnixServerChannelConfig config() {
        return (UnixServerChannelConfig) super.config();
    }

    /** Creates the channel of a connection. */
    abstract AbstractUnixChannel newChild(UnixSocket socket);

    @Override
    protected void doBind(SocketAddress localAddress) throws Exception {
        super.doBind(localAddress);
        try {
            int result = socket.startListening(settings.backlog());
            if (result < 0) {
                throw core().newException(Operation.LISTEN, result, null);
            }
            endpoint.publish();
            core().activate();
        } catch (IOException e) {
            // It is bound, and cannot be bound again.
            core().close();
            throw e;
        }
    }

    private AbstractUnixChannel newChild(UnixSocket socket, byte[] peer) {
        AbstractUnixChannel child = newChild(socket);
        child.settings.controlData().inherit(settings.controlData());
        child.setActive(localAddress(), UnixSocketAddress.ofName(peer));
        return child;
    }

    @Override
    final ChannelReader reader() {
        return acceptor;
    }

    @Override
    final ChannelWriter writer() {
        return ChannelWriter.NONE;
    }

    /**
     * If the channel is reading, connections in the backlog are accepted first; only accept can find out whether there
     * are any.
     */
    @Override
    final void inputEnded(boolean reading) {
        acceptor.inputEnded();
    }

    @Override
    final void inputClosed(boolean failed) {
        if (acceptor.isUnusable()) {
            core().close();
        }
    }
}
