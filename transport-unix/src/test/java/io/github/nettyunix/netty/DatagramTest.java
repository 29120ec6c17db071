package io.github.nettyunix.netty;

import io.github.nettyunix.UnixDatagramChannel;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapComboFactory;
import io.netty.testsuite.transport.socket.DatagramUnicastTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.FileNotFoundException;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;

/** Netty's tests of datagrams. */
@ExtendWith(Conformance.class)
class DatagramTest {
    private static Bootstrap newBootstrap() {
        return Permutations.client(UnixDatagramChannel.class);
    }

    @Nested
    class Unicast extends DatagramUnicastTest {
        @Override
        protected List<BootstrapComboFactory<Bootstrap, Bootstrap>> newFactories() {
            return List.of(Permutations.combo(DatagramTest::newBootstrap, DatagramTest::newBootstrap));
        }

        @Override
        protected SocketAddress newSocketAddress() {
            return Permutations.newPath();
        }

        @Override
        protected boolean isConnected(Channel channel) {
            return ((UnixDatagramChannel) channel).isConnected();
        }

        @Override
        protected boolean supportDisconnect() {
            return true;
        }

        @Override
        protected ChannelFuture write(Channel channel, ByteBuf buffer, SocketAddress remote, WrapType wrapType) {
            // The enum is not accessible enough for a switch.
            ByteBuf content = wrapType == WrapType.DUP ? buffer.retainedDuplicate()
                    : wrapType == WrapType.SLICE ? buffer.retainedSlice()
                    : wrapType == WrapType.READ_ONLY ? buffer.retain().asReadOnly() : buffer.retain();
            return channel.write(new DomainDatagramPacket(content, (DomainSocketAddress) remote));
        }

        @Override
        protected Channel setupClientChannel(Bootstrap client, byte[] bytes, CountDownLatch latch,
                                             AtomicReference<Throwable> error) throws InterruptedException {
            return bind(client, bytes, latch, error, (ctx, packet) -> assertNotNull(packet.sender()));
        }

        @Override
        protected Channel setupServerChannel(Bootstrap server, byte[] bytes, SocketAddress sender, CountDownLatch latch,
                                             AtomicReference<Throwable> error, boolean echo)
                                             throws InterruptedException {
            return bind(server, bytes, latch, error, (ctx, packet) -> {
                if (sender != null) {
                    assertEquals(sender, packet.sender());
                }
                if (echo) {
                    ctx.writeAndFlush(new DomainDatagramPacket(packet.content().retainedDuplicate(), packet.sender()));
                }
            });
        }

        private Channel bind(Bootstrap bootstrap, byte[] bytes, CountDownLatch latch, AtomicReference<Throwable> error,
                             Receiver receiver) throws InterruptedException {
            return bootstrap.handler(new SimpleChannelInboundHandler<DomainDatagramPacket>() {
                @Override
                protected void channelRead0(ChannelHandlerContext ctx, DomainDatagramPacket packet) {
                    assertArrayEquals(bytes, ByteBufUtil.getBytes(packet.content()));
                    assertEquals(ctx.channel().localAddress(), packet.recipient());
                    receiver.receive(ctx, packet);
                    latch.countDown();
                }

                @Override
                public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                    error.compareAndSet(null, cause);
                }
            }).bind(newSocketAddress()).sync().channel();
        }
    }

    private interface Receiver {
        void receive(ChannelHandlerContext ctx, DomainDatagramPacket packet);
    }

    /** As Netty's EpollDomainDatagramPathTest, which is not public. */
    @Nested
    class Path {
        @Test
        void connectPathDoesNotExist() throws InterruptedException {
            ChannelFuture future = newBootstrap().handler(new ChannelInboundHandlerAdapter())
                    .connect(Permutations.newPath()).await();
            assertInstanceOf(FileNotFoundException.class, future.cause());
            future.channel().close().sync();
        }

        @Test
        void writeReceiverPathDoesNotExist() throws InterruptedException {
            Channel channel = newBootstrap().handler(new ChannelInboundHandlerAdapter()).bind(Permutations.newPath())
                    .sync().channel();
            ChannelFuture future = channel.writeAndFlush(
                    new DomainDatagramPacket(Unpooled.copyInt(42), Permutations.newPath())).await();
            assertInstanceOf(FileNotFoundException.class, future.cause());
            channel.close().sync();
        }
    }
}
