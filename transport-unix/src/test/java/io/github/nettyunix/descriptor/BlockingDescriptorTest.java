package io.github.nettyunix.descriptor;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.handler.FileDescriptorLimitHandler;
import io.github.nettyunix.handler.FileDescriptorRefusedException;
import io.github.nettyunix.handler.FileDescriptorTypeHandler;
import io.github.nettyunix.internal.OwnedDescriptors;
import io.github.nettyunix.process.ChildProcesses;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Setup;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannelOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A peer sends descriptors that cannot be closed, or inspected, without its cooperation: no event loop waits for it.
 */
@Tag("once")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class BlockingDescriptorTest {
    private static final Setup SEQPACKET = new Setup(SocketType.SEQPACKET, false, true);
    private static final Setup STREAM = new Setup(SocketType.STREAM, false, true);

    /** How a received descriptor is closed, on the event loop. */
    enum Closing {
        RELEASE {
            @Override
            void close(UnixMessage message) {
                message.release();
            }
        },
        CLOSE {
            @Override
            void close(UnixMessage message) throws IOException {
                for (UnixFileDescriptor fd : message.fileDescriptors()) {
                    fd.close();
                }
                message.release();
            }
        },
        DUPLICATE {
            @Override
            void close(UnixMessage message) throws IOException {
                for (UnixFileDescriptor fd : message.fileDescriptors()) {
                    UnixFileDescriptor.dup(fd).close();
                }
                message.release();
            }
        },
        COPY {
            @Override
            void close(UnixMessage message) {
                message.copy().release();
                message.release();
            }
        };

        abstract void close(UnixMessage message) throws IOException;
    }

    private static String script(String script) throws IOException {
        try (var helper = BlockingDescriptorTest.class.getResourceAsStream("/blocking.py")) {
            return new String(helper.readAllBytes(), StandardCharsets.UTF_8) + '\n' + script;
        }
    }

    /** Sends some descriptors, and then an ordinary message. */
    private static final String SEND = """
            fds = [blocking(sys.argv[1]) for _ in range(int(sys.argv[2]))]
            give_away(sock, b"bad", fds, peer)
            sock.send(b"good")
            print("sent")
            input()
            let_go()
            os._exit(0)
            """;

    private static PeerConnection in(Setup setup) throws IOException {
        return PeerConnection.in(setup).option(ChannelOption.AUTO_READ, false);
    }

    /** The peer has closed its descriptor: the last close is ours. */
    private static void read(PeerConnection connection) throws IOException {
        connection.python().expect("sent");
        connection.channel().config().setAutoRead(true);
    }

    /** Checks that the loop goes on; the peer then ends, which releases what hangs. */
    private static void assertGoesOn(PeerConnection connection) throws Exception {
        connection.channel().eventLoop().submit(() -> { }).get(10, TimeUnit.SECONDS);
        connection.python().say("end");
        connection.end();
    }

    private static void addFirst(PeerConnection connection, ChannelHandler... handlers) {
        connection.channel().pipeline().addFirst(handlers);
    }

    @ParameterizedTest
    @EnumSource(Closing.class)
    void lingeringSocketIsClosedOnAnotherThread(Closing closing) throws Exception {
        assertClosedElsewhere("linger", closing);
    }

    @ParameterizedTest
    @EnumSource(Closing.class)
    void fileOfASilentServerIsClosedOnAnotherThread(Closing closing) throws Exception {
        assertClosedElsewhere("silent", closing);
    }

    private static void assertClosedElsewhere(String kind, Closing closing) throws Exception {
        UnixFileDescriptor[] first = new UnixFileDescriptor[1];
        try (PeerConnection connection = in(SEQPACKET).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(script(SEND), kind, 2)) {
            addFirst(connection, new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) throws IOException {
                    if (message instanceof UnixMessage bad && !bad.fileDescriptors().isEmpty()) {
                        first[0] = bad.fileDescriptors().get(0);
                        closing.close(bad);
                    } else {
                        ctx.fireChannelRead(message);
                    }
                }
            });
            read(connection);
            assertEquals("good", ChannelPair.text(connection.inbox().take()));
            assertFalse(first[0].isOpen());
            // If there are duplicates, any of them may be the last one, whose close blocks.
            if (closing == Closing.RELEASE || closing == Closing.CLOSE) {
                assertTrue(first[0].isClosing(), "the test's descriptor does not block");
            }
            assertGoesOn(connection);
            while (first[0].isClosing()) {
                Thread.onSpinWait();
            }
        }
        Evidence.of("CPython", "a descriptor whose close blocks (" + kind + ") hangs no event loop: " + closing);
    }

    /** Descriptors that no message takes to the pipeline. */
    @ParameterizedTest
    @ValueSource(strings = {"linger", "silent"})
    void surplusDescriptorsAreClosedOnAnotherThread(String kind) throws Exception {
        try (PeerConnection connection = in(SEQPACKET).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .option(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, 1).start(script(SEND), kind, 3)) {
            read(connection);
            connection.inbox().take(ControlDataTruncatedException.class);
            assertEquals("good", ChannelPair.text(connection.inbox().take()));
            assertGoesOn(connection);
        }
        try (PeerConnection connection = in(SEQPACKET).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .option(UnixSocketOption.MAX_MESSAGE_SIZE, 4).start(script(SEND.replace("bad", "too long")), kind, 2)) {
            read(connection);
            connection.inbox().take(MessageTruncatedException.class);
            assertEquals("good", ChannelPair.text(connection.inbox().take()));
            assertGoesOn(connection);
        }
    }

    @Test
    void unwantedDescriptorsWithAPidFdAreClosedOnAnotherThread() throws Exception {
        try (PeerConnection connection = in(SEQPACKET).option(UnixSocketOption.SO_PASSPIDFD, true)
                .start(script(SEND), "silent", 2)) {
            read(connection);
            assertEquals("bad", ChannelPair.text(connection.inbox().take()));
            assertEquals("good", ChannelPair.text(connection.inbox().take()));
            assertGoesOn(connection);
        }
    }

    @Test
    void plainDescriptorsAreClosedOnAnotherThread() throws Exception {
        try (PeerConnection connection = in(STREAM)
                .option(UnixChannelOption.DOMAIN_SOCKET_READ_MODE, DomainSocketReadMode.FILE_DESCRIPTORS)
                .start(script(SEND.replace("bad", "b")
                .replace("sock.send(b\"good\")", "send(sock, b\"g\", [labelled(\"x\")])")),
                        "silent", 1)) {
            read(connection);
            FileDescriptor silent = connection.inbox().take(FileDescriptor.class);
            FileDescriptor good = connection.inbox().take(FileDescriptor.class);
            connection.channel().eventLoop().submit(() -> {
                silent.close();
                good.close();
                return null;
            }).get(10, TimeUnit.SECONDS);
            assertGoesOn(connection);
        }
    }

    @Test
    void typeOfASilentFileIsFoundWithoutItsServer() throws Exception {
        try (PeerConnection connection = in(SEQPACKET).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(script(SEND), "silent", 1)) {
            addFirst(connection, new FileDescriptorTypeHandler(UnixFileDescriptor.Type.MEMFD),
                    new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelRead(ChannelHandlerContext ctx, Object message) throws IOException {
                            for (UnixFileDescriptor fd : ((UnixMessage) message).fileDescriptors()) {
                                fd.type();
                                fd.size();
                                fd.seals();
                                assertTrue(fd.toString().endsWith(", REGULAR_FILE)"), fd::toString);
                            }
                            ctx.fireChannelRead(message);
                        }
                    });
            read(connection);
            connection.inbox().take(FileDescriptorRefusedException.class);
            assertEquals("good", ChannelPair.text(connection.inbox().take()));
            assertGoesOn(connection);
        }
    }

    /** More descriptors than there are threads. */
    @Test
    void manyBlockedClosesDoNotPreventOthers() throws Exception {
        try (PeerConnection connection = in(SEQPACKET).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(script(SEND), "linger", 20)) {
            read(connection);
            connection.inbox().take(UnixMessage.class).release();
            assertEquals("good", ChannelPair.text(connection.inbox().take()));
            UnixFileDescriptor harmless = OwnedDescriptors.adopt(
                    UnixFileDescriptor.memfd("harmless", 1).detach(), true);
            harmless.release();
            assertFalse(harmless.isClosing());
            assertGoesOn(connection);
        }
    }

    /**
     * The number may have been adopted again since it arrived, and the other descriptors of the file closed meanwhile.
     */
    @Test
    void descriptorsForAChildAreClosedOnAnotherThread() throws Exception {
        try (PeerConnection connection = in(SEQPACKET).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(script(SEND), "linger", 1)) {
            addFirst(connection, new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    if (message instanceof UnixMessage bad && !bad.fileDescriptors().isEmpty()) {
                        UnixFileDescriptor fd = UnixFileDescriptor.adopt(bad.fileDescriptors().get(0).detach());
                        bad.release();
                        assertThrows(FileNotFoundException.class, () -> ChildProcesses.start(
                                List.of("/no/such/program"), Map.of(3, fd), task -> {
                                    fd.release();
                                    return new Thread(task);
                                }));
                    } else {
                        ctx.fireChannelRead(message);
                    }
                }
            });
            read(connection);
            assertEquals("good", ChannelPair.text(connection.inbox().take()));
            assertGoesOn(connection);
        }
    }

    @Test
    void descriptorsThatCannotBeClosedUseUpTheirSendersLimit() throws Exception {
        try (PeerConnection connection = in(SEQPACKET).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(script("""
                for _ in range(3):
                    give_away(sock, b"bad", [lingering()])
                print("sent")
                input()
                os._exit(0)
                """))) {
            addFirst(connection, new FileDescriptorLimitHandler(2));
            read(connection);
            for (int i = 0; i < 2; i++) {
                connection.inbox().take(UnixMessage.class).release();
            }
            connection.inbox().take(FileDescriptorRefusedException.class);
            assertEquals(RecordingHandler.INACTIVE, connection.inbox().take());
            assertGoesOn(connection);
        }
    }
}
