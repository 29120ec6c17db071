package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.PromiseCombiner;

import java.io.IOException;

/** What stream and seqpacket channels have in common: a peer, and two directions that end separately. */
abstract class AbstractUnixConnection extends AbstractUnixChannel implements DuplexChannel, UnixPeer {
    private boolean endOfInput;
    // The kernel tells of a reset before it hands out the records that the peer had sent; we tell of it behind them.
    private IOException reset;

    AbstractUnixConnection(Channel parent, SocketType type, UnixSocket socket) {
        super(parent, type, socket, new AdaptiveRecvByteBufAllocator());
    }

    @Override
    public final UnixCredentials peerCredentials() throws IOException {
        return PeerIdentity.credentials(this);
    }

    @Override
    public final UnixFileDescriptor peerPidFd() throws IOException {
        return PeerIdentity.pidFd(this);
    }

    @Override
    public final String peerSecurityLabel() throws IOException {
        return PeerIdentity.securityLabel(this);
    }

    @Override
    protected void doBeginRead() {
        // What has ended is ready for ever.
        if (!endOfInput) {
            super.doBeginRead();
        }
    }

    @Override
    final void inputClosed() {
        if (!socket.isInputShutdown()) {
            if (!config().isAllowHalfClosure()) {
                unsafe().close(voidPromise());
                return;
            }
            try {
                socket.shutdown(true, false);
            } catch (IOException e) {
                // The peer is gone altogether.
                pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                unsafe().close(voidPromise());
                return;
            }
            clearReadInterest();
            pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        }
        if (isOpen() && !endOfInput) {
            endOfInput = true;
            clearReadInterest();
            pipeline().fireUserEventTriggered(ChannelInputShutdownReadComplete.INSTANCE);
        }
    }

    /** Data that is left stays where it is until somebody reads it; the end is told without a read, as is an error. */
    @Override
    final void peerClosedUnread() {
        if (endOfInput || hasUndelivered()) {
            return;
        }
        int next = peek();
        if (next < 0 && next != -Errno.EAGAIN) {
            reset = newException("read", next, null);
            next = Math.max(peek(), 0);
        }
        if (next == 0) {
            IOException cause = takeReset();
            if (cause != null) {
                pipeline().fireExceptionCaught(cause);
            }
            inputClosed();
        }
    }

    private int peek() {
        return socket.peek(recordMarks() != null);
    }

    /** The peer has reset the connection: to be told at the end of the stream. */
    final void keepReset(IOException cause) {
        reset = cause;
    }

    /** What is to be told at the end of the stream; {@code null} if there is nothing. */
    final IOException takeReset() {
        IOException cause = reset;
        reset = null;
        return cause;
    }

    @Override
    protected final void doShutdownOutput() throws Exception {
        socket.shutdown(false, true);
    }

    @Override
    public final boolean isInputShutdown() {
        return socket.isInputShutdown();
    }

    @Override
    public final boolean isOutputShutdown() {
        return socket.isOutputShutdown();
    }

    @Override
    public final boolean isShutdown() {
        return socket.isShutdown();
    }

    @Override
    public final ChannelFuture shutdownInput() {
        return shutdownInput(newPromise());
    }

    @Override
    public final ChannelFuture shutdownInput(ChannelPromise promise) {
        inEventLoop(() -> {
            try {
                socket.shutdown(true, false);
                promise.setSuccess();
            } catch (Throwable t) {
                promise.setFailure(t);
            }
        });
        return promise;
    }

    @Override
    public final ChannelFuture shutdownOutput() {
        return shutdownOutput(newPromise());
    }

    @Override
    public final ChannelFuture shutdownOutput(ChannelPromise promise) {
        inEventLoop(() -> unsafe().shutdownOutput(promise));
        return promise;
    }

    @Override
    public final ChannelFuture shutdown() {
        return shutdown(newPromise());
    }

    @Override
    public final ChannelFuture shutdown(ChannelPromise promise) {
        inEventLoop(() -> {
            PromiseCombiner both = new PromiseCombiner(eventLoop());
            both.add((Future<?>) shutdownOutput());
            both.add((Future<?>) shutdownInput());
            both.finish(promise);
        });
        return promise;
    }

    private void inEventLoop(Runnable task) {
        if (eventLoop().inEventLoop()) {
            task.run();
        } else {
            eventLoop().execute(task);
        }
    }

    /** What a system call on the connection failed with, where no single message is to blame. */
    static boolean isConnectionLost(int errno) {
        return errno == Errno.EPIPE || errno == Errno.ECONNRESET || errno == Errno.ENOTCONN;
    }
}
