package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.RawSocket;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ConnectionPendingException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A server that does not accept: connect waits for room in its backlog. */
@ExtendWith(NothingLeft.class)
class ConnectBacklogTest {
    @TempDir
    private Path folder;

    /** A server, and as many connections as its backlog has room for. */
    private final class Busy implements AutoCloseable {
        final UnixSocketAddress address = UnixSocketAddress.of(folder.resolve("busy"));
        private final SocketType type;
        private final RawSocket server;
        private final Deque<RawSocket> clients = new ArrayDeque<>();

        Busy(SocketType type) throws IOException {
            this.type = type;
            server = RawSocket.bound(type, folder.resolve("busy")).listen(1);
            int result;
            do {
                clients.add(RawSocket.of(type));
                result = clients.getLast().connect(address.bytes());
            } while (result == 0);
            assertEquals(-Errno.EAGAIN, result);
            clients.removeLast().close();
        }

        /** Connects; it has been tried at least once when this returns. */
        ChannelFuture connect(int timeoutMillis) throws InterruptedException {
            ChannelFuture future = Channels.client(type, new Inbox())
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMillis).connect(address);
            Ends.settle(future.channel());
            return future;
        }

        void acceptOne() throws IOException {
            server.accept().close();
        }

        @Override
        public void close() throws IOException {
            for (RawSocket client : clients) {
                client.close();
            }
            server.close();
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectSucceedsOnceTheServerHasAccepted(SocketType type) throws Exception {
        try (Busy server = new Busy(type)) {
            ChannelFuture connect = server.connect(30_000);
            LoopCpu.assertIdle(connect.channel().eventLoop());
            assertFalse(connect.isDone());
            assertFalse(connect.channel().isActive());
            assertInstanceOf(ConnectionPendingException.class, Ends.failure(connect.channel().connect(server.address)));
            server.acceptOne();
            Channel channel = connect.sync().channel();
            assertTrue(channel.isActive());
            assertEquals(server.address, channel.remoteAddress());
            channel.close().sync();
        }
        Proof.of("itself", "a " + type + " connect waits for a full backlog, and for nothing of a core");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectEndsWithItsTimeout(SocketType type) throws Exception {
        try (Busy server = new Busy(type)) {
            long before = System.nanoTime();
            ChannelFuture connect = server.connect(200);
            Throwable cause = Ends.failure(connect);
            assertTrue(System.nanoTime() - before >= 200_000_000);
            UnixSocketError error = assertInstanceOf(UnixSocketError.class, cause);
            assertInstanceOf(ConnectTimeoutException.class, cause);
            assertEquals("connect", error.operation());
            assertEquals(type, error.socketType());
            assertEquals(server.address, error.address());
            assertEquals("ETIMEDOUT", error.errnoName());
            connect.channel().closeFuture().sync();
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void closeEndsAConnectThatWaits(SocketType type) throws Exception {
        try (Busy server = new Busy(type)) {
            ChannelFuture connect = server.connect(30_000);
            connect.channel().close().sync();
            assertInstanceOf(ClosedChannelException.class, Ends.failure(connect));
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void cancelEndsAConnectThatWaits(SocketType type) throws Exception {
        try (Busy server = new Busy(type)) {
            ChannelFuture connect = server.connect(30_000);
            assertTrue(connect.cancel(false));
            connect.channel().closeFuture().sync();
            assertTrue(connect.isCancelled());
        }
    }
}
