package io.github.nettyunix.adopt;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.internal.readiness.Readiness;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.FullBacklog;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.UnixChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Another holder of a channel's socket, such as a parent, a child or a successor, may do anything to it. */
@ExtendWith(LeakCheckExtension.class)
class SocketShutDownElsewhereTest {
    @TempDir
    private Path folder;

    private final RecordingHandler inbox = new RecordingHandler() {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (message instanceof Channel) {
                ctx.fireChannelRead(message);
            } else {
                super.channelRead(ctx, message);
            }
        }
    };
    private final RecordingHandler child = new RecordingHandler();

    private UnixSocketAddress address() {
        return UnixSocketAddress.of(folder.resolve("s"));
    }

    private Channel listen(SocketType type) throws InterruptedException {
        return new ServerBootstrap().group(Loops.group()).channel(Channels.serverClass(type)).handler(inbox)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(child);
                    }
                }).bind(address()).sync().channel();
    }

    /** A duplicate stands for another process. */
    private static UnixSocket otherHolder(Channel channel) throws IOException {
        return new UnixSocket(UnixFileDescriptor.dup(((UnixChannel) channel).fd()).detach());
    }

    private static void shutDownInput(Channel channel, boolean output) throws IOException {
        UnixSocket holder = otherHolder(channel);
        assertEquals(0, holder.shutDown(true, output));
        holder.close();
    }

    private void assertToldOnceAndClosed(String operation) {
        Throwable cause = inbox.take(Throwable.class);
        assertTrue(cause.getMessage().startsWith(operation) && cause.getMessage().endsWith("has shut down its input"),
                cause.getMessage());
        assertTrue(cause instanceof UnixSocketError);
        assertSame(RecordingHandler.INACTIVE, inbox.take());
        assertTrue(inbox.isEmpty());
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void aServerThatAnotherHolderShutsDownReportsItOnceAndCloses(SocketType type) throws Exception {
        Channel server = listen(type);
        shutDownInput(server, true);
        assertToldOnceAndClosed("accept " + type + ' ' + address() + ": EINVAL");
        server.closeFuture().sync();
        Evidence.of("itself", "a " + type + " server that another holder shuts down reports it once and closes");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void whatWaitsInTheBacklogIsAcceptedBeforeThat(SocketType type) throws Exception {
        Channel server = listen(type);
        server.config().setAutoRead(false);
        ChannelPair.settle(server);
        try (RawSocket client = RawSocket.of(type)) {
            assertEquals(0, client.connect(address().bytes()));
            shutDownInput(server, false);
            ChannelPair.settle(server);
            assertTrue(inbox.isEmpty() && server.isActive());
            server.config().setAutoRead(true);
            child.channel();
            assertToldOnceAndClosed("accept " + type);
        }
        assertSame(RecordingHandler.INACTIVE, child.take());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aDatagramChannelThatAnotherHolderShutsDownReportsItOnceAndCloses(boolean autoRead) throws Exception {
        Channel channel = Channels.client(SocketType.DATAGRAM, inbox).option(ChannelOption.AUTO_READ, autoRead)
                .bind(address()).sync().channel();
        shutDownInput(channel, false);
        assertToldOnceAndClosed("read datagram " + address() + ": EINVAL");
        channel.closeFuture().sync();
    }

    @Test
    void datagramsThatHaveArrivedAreReadBeforeThat() throws Exception {
        Channel channel = Channels.client(SocketType.DATAGRAM, inbox).option(ChannelOption.AUTO_READ, false)
                .bind(address()).sync().channel();
        Channel sender = Channels.client(SocketType.DATAGRAM, new RecordingHandler()).connect(address()).sync()
                .channel();
        sender.writeAndFlush(ChannelPair.buffer("last words")).sync();
        shutDownInput(channel, true);
        ChannelPair.settle(channel);
        assertTrue(inbox.isEmpty() && channel.isActive());
        channel.config().setAutoRead(true);
        assertEquals("last words", ChannelPair.text(inbox.take()));
        assertToldOnceAndClosed("read datagram");
        sender.close().sync();
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    @EnabledOnOs(OS.LINUX)
    void aClientWhoseSocketWasMadeToBlockDoesNotBlockItsLoop(SocketType type) throws Exception {
        try (FullBacklog server = new FullBacklog(type, folder.resolve("s"))) {
            Channel client = Channels.register(Channels.newClient(type), inbox);
            client.config().setConnectTimeoutMillis(30_000);
            try (UnixFileDescriptor blocking = UnixFileDescriptor.dup(((UnixChannel) client).fd())) {
                blocking.setBlocking(true);
            }
            ChannelFuture connected = client.connect(address());
            client.eventLoop().submit(() -> { }).get(10, TimeUnit.SECONDS);
            assertFalse(connected.isDone());
            server.acceptAll();
            connected.sync();
            client.close().sync();
        }
    }

    /** All holders share O_NONBLOCK. */
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void aServerWhoseSocketWasMadeToBlockDoesNotBlockItsLoop(SocketType type) throws Exception {
        Channel server = listen(type);
        Channel other = Channels.client(type, new RecordingHandler()).connect(address()).sync().channel();
        child.channel();
        UnixSocket holder = otherHolder(server);
        server.eventLoop().submit(() -> {
            // On the loop, so that the channel has not accepted yet when the other holder does.
            try (RawSocket client = RawSocket.of(type); UnixFileDescriptor blocking = UnixFileDescriptor.dup(holder)) {
                assertEquals(0, client.connect(address().bytes()));
                blocking.setBlocking(true);
                int taken = holder.acceptConnection(new byte[256]);
                assertTrue(taken >= 0);
                new UnixSocket(taken).close();
                blocking.setBlocking(true);
                ((Readiness.Listener) server.unsafe()).readReady();
            }
            return null;
        }).get(10, TimeUnit.SECONDS);
        holder.close();
        other.close().sync();
        server.close().sync();
    }
}
