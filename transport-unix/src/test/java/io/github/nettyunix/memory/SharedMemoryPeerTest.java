package io.github.nettyunix.memory;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixRecordPart;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixSharedMemoryChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

@EnabledOnOs(value = OS.LINUX, disabledReason = "does not apply: Python has memory files only on Linux")
@OnlyWith(SocketType.SEQPACKET)
@ExtendWith(LeakCheckExtension.class)
class SharedMemoryPeerTest {
    private static final String ECHO = """
            try:
                while True:
                    connection.send(*connection.receive())
            except (EOFError, BrokenPipeError):
                print("end")
            """;

    private final UnixSocketAddress address = MemoryPeer.newAddress();
    private final RecordingHandler inbox = new RecordingHandler();

    private static ByteBuf bytes(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 31 + length);
        }
        return Unpooled.wrappedBuffer(bytes);
    }

    private static void assertContent(int length, ByteBuf content) {
        // Not by equals, which would record each access in the leak detector.
        assertArrayEquals(ByteBufUtil.getBytes(bytes(length)), ByteBufUtil.getBytes(content));
    }

    private void exchange(Channel channel) throws Exception {
        int[] lengths = {0, 5, 16_376, 16_377, 100_000, 2_000_000, 1};
        for (int length : lengths) {
            channel.write(bytes(length));
        }
        channel.writeAndFlush(new UnixMessage(bytes(40), Descriptors.some(3)));
        for (int length : lengths) {
            UnixMessage message = inbox.take(UnixMessage.class);
            assertContent(length, message.content());
            message.release();
        }
        UnixMessage message = inbox.take(UnixMessage.class);
        assertContent(40, message.content());
        assertEquals("file 2", Descriptors.text(message.fileDescriptors().get(2)));
        message.release();
    }

    @Test
    void aClientThatWeDidNotWriteExchangesRecordsWithAServer() throws Exception {
        Channel server = MemoryPeer.server(() -> inbox)
                .childOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true).bind(address).sync().channel();
        try (Python python = MemoryPeer.connect(address, "connection = Connection(sock)\n" + ECHO)) {
            exchange(inbox.channel());
            assertEquals(python.pid(), ((UnixSharedMemoryChannel) inbox.channel()).peerCredentials().pid());
            inbox.channel().close().sync();
            python.expect("end");
            python.succeed();
        } finally {
            server.close().sync();
        }
        Evidence.of("CPython", "a client with shared memory exchanges records and descriptors");
    }

    @Test
    void aServerThatWeDidNotWriteExchangesRecordsWithAClient() throws Exception {
        try (Python python = MemoryPeer.accept(address, "connection = Connection(sock, server=True)\n" + ECHO)) {
            Channel client = MemoryPeer.client(inbox).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                    .connect(address).sync().channel();
            exchange(client);
            client.close().sync();
            python.expect("end");
            python.succeed();
        }
        Evidence.of("CPython", "a server with shared memory exchanges records and descriptors");
    }

    /** The socket's word that there is room is behind the descriptors of a record. */
    @Test
    void roomIsNoticedThatIsReportedAlongWithDescriptors() throws Exception {
        Channel server = MemoryPeer.server(() -> inbox).childOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .childOption(UnixSocketOption.SHARED_MEMORY_CAPACITY, 1 << 16)
                .childOption(ChannelOption.AUTO_READ, false).bind(address).sync().channel();
        try (Python python = MemoryPeer.connect(address, """
                connection = Connection(sock)
                input()
                connection.send(b"with", [os.memfd_create("file")])
                total = sum(len(connection.next_piece()[0]) for _ in range(3))
                print("room")
                while total < 200_000:
                    total += len(connection.next_piece()[0])
                print(total)
                input()
                """)) {
            Channel channel = inbox.channel();
            ChannelFuture write = channel.writeAndFlush(bytes(200_000));
            channel.eventLoop().submit(() -> {
                assertEquals(1, UnixTransport.metrics(channel).writeWaits());
                python.say("");
                python.expect("room");
                // Reads the record before the loop looks at the socket.
                return channel.read();
            }).sync();
            python.expect("200000");
            write.sync();
            inbox.take(UnixMessage.class).release();
            channel.close().sync();
            python.say("");
            python.succeed();
        } finally {
            server.close().sync();
        }
    }

    /** The kernel reports a reset of the socket before the descriptors that are still in it. */
    @Test
    void aClientThatEndsWithAnUnreadWakeUpLosesNoDescriptors() throws Exception {
        Channel server = MemoryPeer.server(() -> inbox).childOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .childOption(ChannelOption.AUTO_READ, false).bind(address).sync().channel();
        try (Python python = MemoryPeer.connect(address, """
                connection = Connection(sock)
                connection.ring.set(WAKE_AT_TAIL, 1)
                for i in range(3):
                    fd = os.memfd_create("file")
                    os.write(fd, b"file %d" % i)
                    connection.send(b"%d" % i, [fd])
                print("sent")
                input()
                """)) {
            python.expect("sent");
            Channel channel = inbox.channel();
            channel.writeAndFlush(bytes(10)).sync();
            python.say("");
            python.succeed();
            channel.config().setAutoRead(true);
            for (int i = 0; i < 3; i++) {
                UnixMessage message = inbox.take(UnixMessage.class);
                assertEquals(Integer.toString(i), message.content().toString(StandardCharsets.US_ASCII));
                assertEquals("file " + i, Descriptors.text(message.fileDescriptors().get(0)));
                message.release();
            }
            UnixSocketError reset = inbox.take(UnixSocketError.class);
            assertEquals(UnixErrno.ECONNRESET, reset.error());
            assertSame(RecordingHandler.INACTIVE, inbox.take());
        } finally {
            server.close().sync();
        }
    }

    @Test
    void aClientThatIsKilledLosesNothingThatIsInTheRing() throws Exception {
        Channel server = MemoryPeer.server(() -> inbox).childOption(ChannelOption.AUTO_READ, false).bind(address)
                .sync().channel();
        try (Python python = MemoryPeer.connect(address, """
                connection = Connection(sock)
                for i in range(100):
                    connection.send(b"%d" % i * 50)
                print("sent")
                os.kill(os.getpid(), signal.SIGKILL)
                """)) {
            python.expect("sent");
            Channel channel = inbox.channel();
            channel.config().setAutoRead(true);
            for (int i = 0; i < 100; i++) {
                assertEquals(Integer.toString(i).repeat(50), ChannelPair.text(inbox.take(ByteBuf.class)));
            }
            assertSame(RecordingHandler.INACTIVE, inbox.take());
        } finally {
            server.close().sync();
        }
        Evidence.of("CPython", "records in shared memory outlive the process that was killed");
    }

    /** The loop looks for the next piece of a record, but not for long. */
    @Test
    void aRecordThatIsNotContinuedKeepsNoLoopBusy() throws Exception {
        Channel server = MemoryPeer.server(() -> inbox).childOption(UnixSocketOption.RECORD_PARTS, true).bind(address)
                .sync().channel();
        try (Python python = MemoryPeer.connect(address, """
                connection = Connection(sock)
                for flags in MORE, MORE, 0:
                    connection.send_piece(b"piece", flags)
                    input()
                """)) {
            for (boolean last : new boolean[] {false, false, true}) {
                UnixRecordPart part = inbox.take(UnixRecordPart.class);
                assertEquals(last, part.isLast());
                assertEquals("piece", ChannelPair.text(part));
                LoopCpu.assertIdle(inbox.channel().eventLoop());
                python.say("");
            }
            python.succeed();
        } finally {
            server.close().sync();
        }
    }

    @Test
    void writesToAPeerThatIsKilledFail() throws Exception {
        try (Python python = MemoryPeer.accept(address, """
                connection = Connection(sock, server=True)
                print("connected")
                input()
                os.kill(os.getpid(), signal.SIGKILL)
                """)) {
            Channel client = MemoryPeer.client(inbox).connect(address).sync().channel();
            python.expect("connected");
            ChannelFuture last = null;
            for (int i = 0; i < 100; i++) {
                last = client.writeAndFlush(bytes(100_000));
            }
            python.say("");
            assertInstanceOf(IOException.class, ChannelPair.failure(last));
            client.closeFuture().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, inbox.take());
            // It has left records unread.
            assertEquals(UnixErrno.ECONNRESET, ((UnixSocketError) inbox.take(Throwable.class)).error());
        }
    }

    @Test
    void aServerWithoutSharedMemoryIsNotTakenForOne() throws Exception {
        ChannelHandler echo = new ChannelInboundHandlerAdapter() {
            @Override
            public boolean isSharable() {
                return true;
            }

            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.writeAndFlush(message);
            }
        };
        Channel server = new ServerBootstrap().group(Loops.group()).channel(UnixServerSeqpacketChannel.class)
                .childHandler(echo).bind(address).sync().channel();
        ChannelFuture connect = MemoryPeer.client(inbox).connect(address);
        Throwable cause = ChannelPair.failure(connect);
        assertEquals(UnixErrno.EPROTO, assertInstanceOf(UnixSocketError.class, cause).error(), cause.toString());
        assertInstanceOf(ConnectException.class, cause);
        server.close().sync();
    }

    @Test
    void aServerThatDoesNotAnswerIsGivenUp() throws Exception {
        try (Python python = MemoryPeer.accept(address, """
                print("accepted")
                assert len(sock.recv(100)) == 16
                assert sock.recv(100) == b""
                print("end")
                """)) {
            ChannelFuture connect = MemoryPeer.client(inbox).option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 300)
                    .connect(address);
            Throwable cause = ChannelPair.failure(connect);
            assertEquals(UnixErrno.ETIMEDOUT, assertInstanceOf(UnixSocketError.class, cause).error());
            assertTrue(cause.getMessage().contains("the peer has not answered the handshake for 300 ms"),
                    cause.getMessage());
            python.expect("accepted");
            python.expect("end");
            python.succeed();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "sock.send(b'GET / HTTP/1.1')",
        "sock.send(handshake(HELLO, 1 << 16))",
        "send(sock, handshake(HELLO, 1 << 16), [os.open('/dev/null', os.O_RDWR)])",
        "send(sock, handshake(HELLO, 1 << 16), [new_ring_file(1 << 16, seals=4)])",
        "send(sock, handshake(HELLO, 1 << 16), [new_ring_file(1 << 16, seals=6)])",
        "send(sock, handshake(HELLO, 1 << 16), [new_ring_file(1 << 16, size=1 << 16)])",
        "send(sock, handshake(HELLO, 1 << 16), [new_ring_file(1 << 16)] * 2)",
        "send(sock, handshake(HELLO, 1000), [new_ring_file(1000)])",
        "send(sock, handshake(HELLO, 1 << 40), [new_ring_file(1 << 16)])",
        "send(sock, handshake(ACCEPT, 1 << 16), [new_ring_file(1 << 16)])",
        "send(sock, struct.pack('=IHHQ', MAGIC, 2, HELLO, 1 << 16), [new_ring_file(1 << 16)])",
    })
    void aServerRefusesWhatIsNoHandshake(String script) throws Exception {
        Descriptors before = Descriptors.now();
        Channel server = MemoryPeer.listen(address, inbox);
        try (Python python = MemoryPeer.connect(address, script + """

                data = sock.recv(1000)
                assert struct.unpack_from("=IHHQ", data) == (MAGIC, VERSION, REFUSE, 0), data
                print(data[16:].decode())
                assert sock.recv(1000) == b""
                """)) {
            Throwable cause = inbox.take(Throwable.class);
            assertInstanceOf(UnixSocketError.class, cause);
            assertTrue(cause.getMessage().startsWith(python.line().substring(0, 100)), cause.getMessage());
            python.succeed();
            assertTrue(inbox.isEmpty(), "the channel was never active");
        } finally {
            server.close().sync();
        }
        before.assertUnchanged();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        // The tail of what they write: too far, not aligned, back.
        "connection.out.set(TAIL, 1 << 20)",
        "connection.out.set(TAIL, 12)",
        "connection.out.set(TAIL, MASK & ~7)",
        "connection.send(b'x' * 100); connection.receive(); connection.out.set(TAIL, 8)",
        // A record that is longer than what follows, than the ring, or of an unknown kind.
        "connection.out.put(0, struct.pack('=Q', 100)); connection.out.set(TAIL, 16)",
        "connection.out.put(0, struct.pack('=Q', 0xffffffff)); connection.out.set(TAIL, 1 << 16)",
        "connection.out.put(0, struct.pack('=Q', 1 << 40)); connection.out.set(TAIL, 16)",
        // Descriptors that are announced and do not come, and that come without being announced.
        "connection.out.put(0, struct.pack('=Q', ATTACHMENT)); connection.out.set(TAIL, 8)",
        // The head of what they read: too far, not aligned.
        "connection.send(b'x' * 100); connection.receive(); connection.ring.set(HEAD, 1 << 30)",
        "connection.ring.set(HEAD, 3); connection.send(b'fill')",
        // What does not belong on the socket.
        "connection.send(b'x'); sock.send(b'hello')",
        "connection.send(b'x'); sock.send(b'Z')",
    })
    void memoryThatCannotBeRightClosesTheChannel(String script) throws Exception {
        Descriptors before = Descriptors.now();
        ChannelInboundHandlerAdapter flood = new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ((ByteBuf) message).release();
                for (int i = 0; i < 100; i++) {
                    ctx.write(bytes(100_000));
                }
                ctx.flush();
            }
        };
        Channel server = MemoryPeer.server(() -> new ChannelInitializer<Channel>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(flood, inbox);
            }
        }).childOption(UnixSocketOption.RECEIVE_CONTROL_DATA, false).bind(address).sync().channel();
        try (Python python = MemoryPeer.connect(address, "connection = Connection(sock)\n" + script + """

                connection.wake()
                while not connection.ended:
                    connection.wait()
                """)) {
            Throwable cause = inbox.take(Throwable.class);
            assertEquals(UnixErrno.EPROTO, assertInstanceOf(UnixSocketError.class, cause).error(), cause.toString());
            assertSame(RecordingHandler.INACTIVE, inbox.take());
            python.succeed();
        } finally {
            server.close().sync();
        }
        before.assertUnchanged();
    }
}
