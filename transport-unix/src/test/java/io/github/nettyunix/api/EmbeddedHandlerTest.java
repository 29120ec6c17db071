package io.github.nettyunix.api;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.handler.PeerAuthorizationHandler;
import io.github.nettyunix.handler.PeerRefusedException;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** How an application tests its handlers: with Netty's channel for tests, and the public API only. */
@Tag("once")
@ExtendWith(LeakCheckExtension.class)
class EmbeddedHandlerTest {
    private static final UnixCredentials SENDER = new UnixCredentials(17, 1000, 100, List.of());

    /** A connection whose peer the test chooses. */
    private static final class PeerChannel extends EmbeddedChannel implements UnixPeer {
        private final UnixCredentials peer;

        PeerChannel(UnixCredentials peer) {
            this.peer = peer;
        }

        @Override
        public UnixCredentials peerCredentials() {
            return peer;
        }

        @Override
        public UnixFileDescriptor peerPidFd() {
            throw new UnsupportedOperationException();
        }

        @Override
        public String peerSecurityLabel() {
            return "unconfined";
        }
    }

    /** A handler that reads everything in a message and in an error. */
    private static final class Report extends SimpleChannelInboundHandler<UnixMessage> {
        final List<String> lines = new ArrayList<>();

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, UnixMessage message) {
            lines.add(message.content().toString(StandardCharsets.UTF_8) + " from uid "
                    + message.credentials().uid() + ", " + message.securityLabel() + ", descriptors: "
                    + message.fileDescriptors().size() + ", pidfd: " + (message.pidFd() != null)
                    + (message instanceof UnixDatagramPacket packet ? ", sender: " + packet.sender() : ""));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause instanceof MessageTruncatedException e) {
                lines.add(e.messageSize() + " > " + e.maxMessageSize() + " from uid " + e.credentials().uid());
            } else if (cause instanceof ControlDataTruncatedException e) {
                lines.add(e.error() + " from " + e.sender());
            } else if (cause instanceof UnixSocketError e && e.error() == UnixErrno.EAGAIN) {
                lines.add("again");
            }
        }
    }

    @Test
    void messagesHaveAllThatTheKernelCouldHaveSaid() throws Exception {
        Report report = new Report();
        EmbeddedChannel channel = new EmbeddedChannel(report);
        UnixFileDescriptor[] fds = Descriptors.some(3);
        channel.writeInbound(
                new UnixMessage(ChannelPair.buffer("x"), List.of(fds[0], fds[1]), SENDER, fds[2], "label"));
        channel.writeInbound(
                new UnixDatagramPacket(ChannelPair.buffer("y"), null, UnixSocketAddress.of("/run/y"), List.of(),
                SENDER, null, null));
        assertEquals(List.of("x from uid 1000, label, descriptors: 2, pidfd: true",
                "y from uid 1000, null, descriptors: 0, pidfd: false, sender: /run/y"), report.lines);
        assertEquals(0, Descriptors.countOpen(fds));
        channel.finish();
    }

    @Test
    void errorsCanBeMadeAndAreConstants() {
        Report report = new Report();
        EmbeddedChannel channel = new EmbeddedChannel(report);
        channel.pipeline().fireExceptionCaught(new TestError(11, "EAGAIN"));
        assertEquals(List.of("again"), report.lines);
        channel.finish();
    }

    /** Where nothing has loaded the native library before. */
    static final class LostMessages {
        public static void main(String[] args) {
            Report report = new Report();
            EmbeddedChannel channel = new EmbeddedChannel(report);
            UnixSocketAddress sender = UnixSocketAddress.of("/run/x");
            channel.pipeline().fireExceptionCaught(
                    new MessageTruncatedException(SocketType.DATAGRAM, null, 5, 4, sender, SENDER));
            channel.pipeline().fireExceptionCaught(
                    new ControlDataTruncatedException(SocketType.DATAGRAM, null, 253, sender, null));
            channel.finish();
            System.out.print(report.lines);
        }
    }

    @Test
    void errorsAboutLostMessagesCanBeMade() throws Exception {
        Process process = new ProcessBuilder(Jvm.command(LostMessages.class)).redirectErrorStream(true).start();
        try (InputStream out = process.getInputStream()) {
            assertEquals("[5 > 4 from uid 1000, EMSGSIZE from /run/x]",
                    new String(out.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    @Test
    void peersCanBeChosen() {
        PeerChannel admitted = new PeerChannel(SENDER);
        admitted.pipeline().addLast(new PeerAuthorizationHandler(PeerAuthorizationHandler.uid(1000)));
        admitted.runPendingTasks();
        admitted.checkException();
        assertTrue(admitted.isOpen());
        admitted.finish();
        PeerChannel refused = new PeerChannel(SENDER);
        refused.pipeline().addLast(new PeerAuthorizationHandler(PeerAuthorizationHandler.uid(1001)));
        refused.runPendingTasks();
        PeerRefusedException cause = assertThrows(PeerRefusedException.class, refused::checkException);
        assertEquals(SENDER, cause.credentials());
        assertEquals(UnixErrno.EACCES, cause.error());
        assertFalse(refused.isOpen());
    }

    @Test
    void datagramsTakeWhatADecoderHasCollected() throws Exception {
        List<UnixFileDescriptor> collected = new ArrayList<>(List.of(Descriptors.some(2)));
        UnixDatagramPacket packet =
                new UnixDatagramPacket(ChannelPair.buffer("x"), UnixSocketAddress.of("/run/x"), collected);
        collected.clear();
        assertEquals(2, packet.fileDescriptors().size());
        packet.release();
    }

    @Test
    void channelThatWasNeverRegisteredCanBeClosed() {
        UnixStreamChannel channel = new UnixStreamChannel();
        channel.unsafe().closeForcibly();
        assertFalse(channel.isOpen());
    }

    /** A message of a protocol: it knows more than its bytes. */
    private static final class Request extends UnixMessage {
        final String method;

        Request(String method, ByteBuf content, UnixFileDescriptor... fds) {
            super(content, fds);
            this.method = method;
        }

        private Request(ByteBuf content, Request of, UnixCredentials credentials) {
            super(content, of, credentials);
            method = of.method;
        }

        private Request(ByteBuf content, List<UnixFileDescriptor> fds, UnixFileDescriptor pidFd, Request of) {
            super(content, fds, of.credentials(), pidFd, of.securityLabel());
            method = of.method;
        }

        @Override
        protected Request newView(ByteBuf content, UnixCredentials credentials) {
            return new Request(content, this, credentials);
        }

        @Override
        protected Request newMessage(ByteBuf content, List<UnixFileDescriptor> fds, UnixFileDescriptor pidFd) {
            return new Request(content, fds, pidFd, this);
        }
    }

    @Test
    void messagesOfAProtocolKeepTheirClass() throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(1);
        Request request = new Request("GET", ChannelPair.buffer("x"), fds);
        for (UnixMessage view : List.of(request.duplicate(), request.retainedDuplicate(),
                request.withCredentials(SENDER))) {
            assertEquals("GET", ((Request) view).method);
            assertEquals(2, view.refCnt());
        }
        request.release();
        for (UnixMessage other : List.of(request.replace(ChannelPair.buffer("y")), request.copy())) {
            assertEquals("GET", ((Request) other).method);
            assertEquals(1, other.refCnt());
            assertTrue(other.release());
        }
        request.release();
        assertEquals(0, Descriptors.countOpen(fds));
    }
}
