package io.github.nettyunix;

import io.github.nettyunix.testing.Buffers;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
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
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Ten thousand connections between two processes are open at once; a message goes each way on each of them. */
@Tag("soak")
@ExtendWith(NothingLeft.class)
class ManyConnectionsTest {
    private static final int CONNECTIONS = 10_000;
    private static final int OTHER_DESCRIPTORS = 300;
    private static final int SECONDS = 120;

    @TempDir
    private Path folder;

    /** The process with the clients: connects all, tells how many numbers came back, and closes all when it is told to. */
    static final class Clients {
        private static final CountDownLatch ANSWERS = new CountDownLatch(CONNECTIONS);

        @ChannelHandler.Sharable
        private static final class Client extends SimpleChannelInboundHandler<ByteBuf> {
            @Override
            public void channelActive(ChannelHandlerContext ctx) {
                ctx.writeAndFlush(ctx.alloc().directBuffer().writeInt(ctx.channel().hashCode()));
            }

            @Override
            protected void channelRead0(ChannelHandlerContext ctx, ByteBuf answer) {
                if (answer.readInt() == ctx.channel().hashCode()) {
                    ANSWERS.countDown();
                }
            }
        }

        private Clients() {
        }

        public static void main(String[] arguments) throws Exception {
            ChannelGroup all = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
            Bootstrap bootstrap = Channels.client(SocketType.valueOf(arguments[0]), new Client())
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, SECONDS * 1000);
            for (int i = 0; i < CONNECTIONS; i++) {
                all.add(bootstrap.connect(UnixSocketAddress.of(arguments[1])).channel());
            }
            ANSWERS.await(SECONDS, TimeUnit.SECONDS);
            System.out.println("answered: " + (CONNECTIONS - ANSWERS.getCount()) + ", open: " + all.size());
            while (System.in.read() >= 0) {
                Thread.onSpinWait();
            }
            all.close().sync();
            Loops.group().shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
        }
    }

    /** A line of /proc/self/limits: "Max open files  1024  4096  files". The JVM raises the first number to the second. */
    private static int descriptorLimit() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/limits")).stream().filter(line -> line.startsWith("Max open files"))
                .map(line -> line.split(" +")[3]).mapToInt(limit -> limit.equals("unlimited") ? Integer.MAX_VALUE
                        : Integer.parseInt(limit)).findAny().orElseThrow();
    }

    @Timeout(3 * SECONDS)
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void allAreOpenAtOnce(SocketType type) throws Exception {
        int limit = descriptorLimit();
        assumeTrue(limit >= CONNECTIONS + OTHER_DESCRIPTORS, "it takes " + (CONNECTIONS + OTHER_DESCRIPTORS)
                + " descriptors, and the process may have " + limit + ": ulimit -n");
        Buffers buffers = new Buffers();
        CountDownLatch ended = new CountDownLatch(CONNECTIONS);
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
        command.addAll(List.of(type.name(), server.localAddress().toString()));
        Process clients = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader out = clients.inputReader()) {
            assertEquals("answered: " + CONNECTIONS + ", open: " + CONNECTIONS, out.readLine());
            assertEquals(CONNECTIONS, open.size());
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
        Proof.of("itself", CONNECTIONS + " " + type + " connections with another process are open at once");
    }
}
