package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.Buffers;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.DescriptorLimit;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Ten thousand connections between two processes are open at once, or as many as descriptors allow. One message is sent
 * each way on each of them.
 */
@Tag("once")
@EnabledOnOs(OS.LINUX)
@ExtendWith(LeakCheckExtension.class)
class ManyConnectionsTest {
    private static final int CONNECTIONS = 10_000;
    private static final int OTHER_DESCRIPTORS = 300;
    private static final int SECONDS = 50;

    @TempDir
    private Path folder;

    /** The process with the clients: connects all, prints how many numbers came back, and closes all on request. */
    static final class Clients {
        @ChannelHandler.Sharable
        private static final class Client extends SimpleChannelInboundHandler<ByteBuf> {
            private final CountDownLatch answers;

            Client(CountDownLatch answers) {
                this.answers = answers;
            }

            @Override
            public void channelActive(ChannelHandlerContext ctx) {
                ctx.writeAndFlush(ctx.alloc().directBuffer().writeInt(ctx.channel().hashCode()));
            }

            @Override
            protected void channelRead0(ChannelHandlerContext ctx, ByteBuf answer) {
                if (answer.readInt() == ctx.channel().hashCode()) {
                    answers.countDown();
                }
            }
        }

        private Clients() {
        }

        public static void main(String[] arguments) throws Exception {
            int connections = Integer.parseInt(arguments[2]);
            CountDownLatch answers = new CountDownLatch(connections);
            ChannelGroup all = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
            Bootstrap bootstrap = Channels.client(SocketType.valueOf(arguments[0]), new Client(answers))
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, SECONDS * 1000);
            for (int i = 0; i < connections; i++) {
                all.add(bootstrap.connect(UnixSocketAddress.of(arguments[1])).channel());
            }
            answers.await(SECONDS, TimeUnit.SECONDS);
            System.out.println("answered: " + (connections - answers.getCount()) + ", open: " + all.size());
            while (System.in.read() >= 0) {
                Thread.onSpinWait();
            }
            all.close().sync();
            Loops.group().shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
        }
    }

    @Timeout(3 * SECONDS)
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void allAreOpenAtOnce(SocketType type) throws Exception {
        int limit = DescriptorLimit.raise(CONNECTIONS + OTHER_DESCRIPTORS);
        int connections = Math.min(CONNECTIONS, limit - OTHER_DESCRIPTORS);
        Buffers buffers = new Buffers();
        CountDownLatch ended = new CountDownLatch(connections);
        ChannelGroup open = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
        Channel server = Channels.server(type, () -> new ChannelInboundHandlerAdapter() {
            @Override
            public void channelActive(ChannelHandlerContext ctx) {
                open.add(ctx.channel());
            }

            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.writeAndFlush(message);
            }

            @Override
            public void channelInactive(ChannelHandlerContext ctx) {
                ended.countDown();
            }
        }).childOption(ChannelOption.ALLOCATOR, buffers.allocator())
                .bind(UnixSocketAddress.of(folder.resolve("server"))).sync().channel();
        List<String> command = Jvm.command(Clients.class, "-Xmx1g", "-Dnettyunix.test.selector=" + Loops.selector());
        command.addAll(List.of(type.name(), server.localAddress().toString(), "" + connections));
        Process clients = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
        try (BufferedReader out = clients.inputReader()) {
            assertEquals("answered: " + connections + ", open: " + connections, out.readLine());
            assertEquals(connections, open.size());
            clients.getOutputStream().close();
            assertTrue(ended.await(SECONDS, TimeUnit.SECONDS), () -> ended.getCount() + " connections have not ended");
            assertTrue(clients.waitFor(SECONDS, TimeUnit.SECONDS));
            assertEquals(0, clients.exitValue());
        } finally {
            clients.destroyForcibly();
        }
        server.close().sync();
        assertEquals(0, open.size());
        buffers.assertAllReleased();
        Evidence.of("itself", connections + " " + type + " connections with another process are open at once");
    }
}
