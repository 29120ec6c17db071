package io.github.nettyunix;

import io.github.nettyunix.internal.SocketOptions;
import io.github.nettyunix.internal.endpoint.PeerIdentity;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.read.LingeringClose;
import io.github.nettyunix.internal.read.RecordMark;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.PromiseCombiner;

import java.io.IOException;

/** The parts that stream and seqpacket channels have in common: a peer, and two directions that end separately. */
abstract class AbstractUnixConnection extends AbstractUnixChannel implements DuplexChannel, UnixPeer {
    private final RecordMark mark;
    // Ends the connection after a failed write; null if none has failed.
    private LingeringClose lingeringClose;
    private boolean endOfInput;
    // Whether the peer has ended the input, as opposed to a shutdown of it here.
    private boolean endedByPeer;
    // Set while the messages of a failed write fail: their queue, and the exception.
    private ChannelOutboundBuffer failing;
    private Throwable writeFailure;

    AbstractUnixConnection(Channel parent, SocketType type, SocketOptions options, UnixSocket socket,
            RecordMark mark) {
        super(parent, type, options, socket, new AdaptiveRecvByteBufAllocator(), mark);
        this.mark = mark;
    }

    @Override
    public final UnixChannelConfig config() {
        return (UnixChannelConfig) super.config();
    }

    @Override
    public final UnixCredentials peerCredentials() throws IOException {
        return PeerIdentity.credentials(core());
    }

    @Override
    public final UnixFileDescriptor peerPidFd() throws IOException {
        return PeerIdentity.pidFd(core());
    }

    @Override
    public final String peerSecurityLabel() throws IOException {
        return PeerIdentity.securityLabel(core());
    }

    @Override
    protected void doBeginRead() {
        // At the end of the input the socket stays readable: interest in reading would spin.
        if (!endOfInput) {
            super.doBeginRead();
        }
    }

    @Override
    final void inputClosed(boolean failed) {
        if (lingeringClose != null) {
            unsafe().close(voidPromise());
            return;
        }
        endedByPeer |= failed || !socket.isInputShutdown();
        if (!socket.isInputShutdown()) {
            if (!config().isAllowHalfClosure()) {
                unsafe().close(voidPromise());
                return;
            }
            if (socket.shutDown(true, false) < 0) {
                // The peer is gone altogether.
                pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                unsafe().close(voidPromise());
                return;
            }
            readLoop.clearInterest();
            pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        }
        if (isOpen() && !endOfInput) {
            endOfInput = true;
            readLoop.clearInterest();
            pipeline().fireUserEventTriggered(ChannelInputShutdownReadComplete.INSTANCE);
            closeIfPeerIsGone();
        }
    }

    /**
     * With half-closure, the channel outlives the end of its input, to write. It closes when the peer is gone, or when
     * the output has ended too and {@code AUTO_CLOSE} is on. Once this side has ended the output, a hang-up says
     * nothing about the peer: a socket that was shut down in both directions here always looks hung up. Its user must
     * close it.
     */
    private void closeIfPeerIsGone() {
        if (isOpen() && (socket.isOutputShutdown() ? endedByPeer && config().isAutoClose() : socket.isHungUp())) {
            unsafe().close(voidPromise());
        }
    }

    /** Remaining data stays in the socket until it is read. If none is left, the end, or an error, is reported now. */
    @Override
    final void inputEnded(boolean reading) {
        if (!isOpen()) {
            // What the reader found at the end has closed it.
            return;
        }
        if (endOfInput) {
            endedByPeer |= socket.isOutputShutdown() && isReset(peek());
            closeIfPeerIsGone();
            return;
        }
        if (reading || reader().hasMessages()) {
            return;
        }
        int next = peek();
        if (isReset(next)) {
            keepReset(next);
            next = Math.max(peek(), 0);
        }
        if (next == 0) {
            IOException cause = readLoop.takeReset();
            if (cause != null) {
                pipeline().fireExceptionCaught(cause);
            }
            inputClosed(cause != null);
        }
    }

    private static boolean isReset(int peeked) {
        return peeked < 0 && peeked != -Errno.EAGAIN;
    }

    final void keepReset(int peeked) {
        if (isReset(peeked)) {
            readLoop.keepReset(core().newException(Operation.READ, peeked, null));
        }
    }

    final int peek() {
        int next = socket.peek(mark != null);
        // On a seqpacket socket, Linux marks the end before it sets the error.
        return next == 0 && mark != null ? socket.peek(true) : next;
    }

    @Override
    protected final void doWrite(ChannelOutboundBuffer in) {
        try {
            super.doWrite(in);
        } catch (Throwable t) {
            endOutput(t);
        }
    }

    /**
     * Ends the output after a failed write, because nothing may take the place of what is missing. Everything in the
     * queue fails with the same exception, and later writes fail like those after {@link #shutdownOutput()}. Unless
     * {@code AUTO_CLOSE} is off, the channel closes once everything that the peer has sent was delivered.
     */
    private void endOutput(Throwable cause) {
        if (cause instanceof UnixSocketError error && error.errno() == Errno.ECONNRESET) {
            // The kernel reports a reset once. The write has taken it; the reader needs it too.
            readLoop.keepReset(core().newException(Operation.READ, Errno.ECONNRESET, null));
        }
        if (unsafe().outboundBuffer() == null) {
            // A listener has closed the channel, or ended its output.
            return;
        }
        failing = unsafe().outboundBuffer();
        writeFailure = cause;
        try {
            core().shutdownOutput(voidPromise());
        } finally {
            failing = null;
            writeFailure = null;
        }
        if (!isOpen() || !config().isAutoClose()) {
            return;
        }
        if (core().handOver() != null) {
            core().handOver().writeFailed(cause);
        }
        if (endOfInput || isInputShutdown()) {
            unsafe().close(voidPromise());
        } else {
            lingeringClose = new LingeringClose(core(), readLoop);
            readLoop.startDrain(lingeringClose);
            lingeringClose.start();
        }
    }

    @Override
    protected final void doShutdownOutput() throws IOException {
        // The queue accepts no more messages, so a listener that writes again cannot keep this going.
        writeSchedule.complete();
        try {
            shutDown(false, true);
        } finally {
            writer().completeSent();
            if (failing != null) {
                failing.addFlush();
                while (failing.remove(writeFailure)) {
                    // Continue with the next message.
                }
            }
        }
    }

    private void shutDown(boolean input, boolean output) throws IOException {
        int result = socket.shutDown(input, output);
        if (result == -Errno.ENOTCONN) {
            throw SocketErrors.newNotYetConnected(Operation.SHUTDOWN, type, core().endpointAddress(), null);
        }
        if (result < 0) {
            throw core().newException(Operation.SHUTDOWN, result, null);
        }
        if (input) {
            reader().onHangUp();
        }
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
        return socket.isInputShutdown() && socket.isOutputShutdown();
    }

    @Override
    public final ChannelFuture shutdownInput() {
        return shutdownInput(newPromise());
    }

    @Override
    public final ChannelFuture shutdownInput(ChannelPromise promise) {
        inEventLoop(() -> {
            try {
                shutDown(true, false);
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
        inEventLoop(() -> {
            core().shutdownOutput(promise);
            // Not immediately: shutdown() has yet to shut down the input.
            eventLoop().execute(() -> {
                if (endOfInput && core().isOnEventLoop()) {
                    closeIfPeerIsGone();
                }
            });
        });
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
}
