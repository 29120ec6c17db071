package io.github.nettyunix.netty;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapComboFactory;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapFactory;
import io.netty.testsuite.transport.socket.AbstractSocketShutdownOutputByPeerTest;
import io.netty.testsuite.transport.socket.SocketAddressesTest;
import io.netty.testsuite.transport.socket.SocketAutoReadTest;
import io.netty.testsuite.transport.socket.SocketConditionalWritabilityTest;
import io.netty.testsuite.transport.socket.SocketConnectTest;
import io.netty.testsuite.transport.socket.SocketConnectionAttemptTest;
import io.netty.testsuite.transport.socket.SocketDataReadInitialStateTest;
import io.netty.testsuite.transport.socket.SocketExceptionHandlingTest;
import io.netty.testsuite.transport.socket.SocketHalfClosedTest;
import io.netty.testsuite.transport.socket.SocketMultipleConnectTest;
import io.netty.testsuite.transport.socket.SocketReadPendingTest;
import io.netty.testsuite.transport.socket.SocketRstTest;
import io.netty.testsuite.transport.socket.SocketSslClientRenegotiateTest;
import io.netty.testsuite.transport.socket.SocketTestPermutation;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

import java.net.SocketAddress;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;

/** All of Netty's tests of connections. Many of them wait to see that something does not happen. */
abstract class ConnectionTests extends EchoTests {
    @Nested
    class AutoRead extends SocketAutoReadTest {
        @Override
        protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
            return onFiles();
        }
    }

    @Nested
    class ReadPending extends SocketReadPendingTest {
        @Override
        protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
            return onFiles();
        }
    }

    @Nested
    class DataReadInitialState extends SocketDataReadInitialStateTest {
        @Override
        protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
            return onFiles();
        }
    }

    @Nested
    class HalfClosed extends SocketHalfClosedTest {
        @Override
        protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
            return onFiles();
        }
    }

    @Nested
    class Rst extends SocketRstTest {
        @Override
        protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
            return onFiles();
        }
    }

    @Nested
    class ExceptionHandling extends SocketExceptionHandlingTest {
        @Override
        protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
            return onFiles();
        }
    }

    @Nested
    class ConditionalWritability extends SocketConditionalWritabilityTest {
        @Override
        protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
            return onFiles();
        }
    }

    @Nested
    class Connect extends SocketConnectTest {
        @Override
        protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
            return onFiles();
        }
    }

    @Nested
    class MultipleConnect extends SocketMultipleConnectTest {
        @Override
        protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
            return onFiles();
        }
    }

    @Nested
    class Addresses extends SocketAddressesTest {
        @Override
        protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
            return onFiles();
        }

        @Override
        protected void assertAddress(SocketAddress address) {
            assertInstanceOf(DomainSocketAddress.class, address);
        }

        @Override
        protected SocketAddress newSocketAddress() {
            return Permutations.newPath();
        }
    }

    @Nested
    class SslClientRenegotiate extends SocketSslClientRenegotiateTest {
        @Override
        protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
            return onFiles();
        }
    }

    @Nested
    class ShutdownOutputByPeer extends AbstractSocketShutdownOutputByPeerTest<DuplexChannel> {
        @Override
        protected List<BootstrapFactory<ServerBootstrap>> newFactories() {
            return onFiles().stream()
                    .map(combo -> (BootstrapFactory<ServerBootstrap>) combo::newServerInstance).toList();
        }

        @Override
        protected DuplexChannel newSocket() {
            return (DuplexChannel) onFiles().get(0).newClientInstance().handler(new ChannelInboundHandlerAdapter())
                    .register().syncUninterruptibly().channel();
        }

        @Override
        protected void connect(DuplexChannel socket, SocketAddress address) {
            socket.connect(address).syncUninterruptibly();
        }

        @Override
        protected void write(DuplexChannel socket, int data) {
            socket.writeAndFlush(Unpooled.buffer().writeByte(data)).syncUninterruptibly();
        }

        @Override
        protected void shutdownOutput(DuplexChannel socket) {
            socket.shutdownOutput().syncUninterruptibly();
        }

        @Override
        protected void close(DuplexChannel socket) {
            socket.close().syncUninterruptibly();
        }
    }

    @Nested
    class ConnectionAttempt extends SocketConnectionAttemptTest {
        @Override
        protected List<BootstrapFactory<Bootstrap>> newFactories() {
            return List.of(() -> new BadHosts(onFiles().get(0)));
        }

        /** Netty's test allows one second beyond the timeout, so the code that it measures runs once before. */
        @Override
        public void testConnectTimeout(Bootstrap bootstrap) throws Throwable {
            bootstrap.handler(new ChannelInboundHandlerAdapter()).option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 1)
                    .connect("bad host", 0).await();
            super.testConnectTimeout(bootstrap);
        }

        /** Netty's test first looks for a host on the Internet that does not answer. */
        @Override
        @Test
        public void testConnectCancellation(TestInfo testInfo) throws Throwable {
            run(testInfo, this::testConnectCancellation);
        }
    }

    /** Connects to a server that does not answer, or, if the port is unassigned, to one that no longer exists. */
    private static final class BadHosts extends Bootstrap {
        private final Bootstrap client;
        private final ServerBootstrap server;

        @SuppressWarnings("deprecation") // the type that a bootstrap's config shows its factory as
        BadHosts(BootstrapComboFactory<ServerBootstrap, Bootstrap> combo) {
            client = combo.newClientInstance();
            server = combo.newServerInstance().option(ChannelOption.AUTO_READ, false)
                    .option(ChannelOption.SO_BACKLOG, 0)
                    .option(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.replaceStale().keepOnClose())
                    .childHandler(new ChannelInboundHandlerAdapter());
            group(client.config().group()).channelFactory(client.config().channelFactory());
        }

        @Override
        public ChannelFuture connect(String host, int port) {
            Channel listening = server.bind(Permutations.newPath()).syncUninterruptibly().channel();
            UnixSocketAddress address = (UnixSocketAddress) listening.localAddress();
            if (port == SocketTestPermutation.UNASSIGNED_PORT) {
                listening.close().syncUninterruptibly();
            } else {
                // This one fills the backlog.
                client.handler(new ChannelInboundHandlerAdapter()).connect(address).syncUninterruptibly();
            }
            ChannelFuture attempt = connect(address);
            attempt.channel().closeFuture().addListener(closed -> listening.close());
            return attempt;
        }
    }
}
