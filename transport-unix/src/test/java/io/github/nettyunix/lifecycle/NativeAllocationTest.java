package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.internal.socket.Process;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A process without native memory for the copies of strings and arrays that the JVM makes for C. */
@Tag("once")
@EnabledOnOs(OS.LINUX)
class NativeAllocationTest {
    @TempDir
    private Path folder;

    /** Runs with an agent that lets all of these copies fail, from the start. */
    public static final class Program {
        public static void main(String[] arguments) {
            int status = 1;
            try {
                run(arguments);
                status = 0;
            } catch (Throwable t) {
                t.printStackTrace();
            } finally {
                // The event loop's thread would keep the process alive.
                System.exit(status);
            }
        }

        private static void run(String[] arguments) throws Exception {
            UnixTransport.ensureAvailability();
            Path path = Path.of(arguments[0], "socket");
            EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, UnixTransport.newIoHandlerFactory());
            exchange(loop, UnixStreamChannel.pair());
            exchange(loop, UnixSeqpacketChannel.pair());
            exchange(loop, UnixDatagramChannel.pair());

            assertNoMemory(() -> UnixFileDescriptor.open(Path.of("/dev/null")));
            assertNoMemory(() -> UnixFileDescriptor.memfd("name", 1));
            Channel server = new UnixServerStreamChannel();
            loop.register(server).sync();
            server.config().setOption(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.replaceAtomically());
            assertNoMemory(() -> server.bind(UnixSocketAddress.of(path)).sync());
            assertTrue(server.isOpen());
            server.close().sync();
            // A variable that seemed to be missing would lose the sockets that a supervisor has passed.
            assertEquals("1", Process.variable("LISTEN_FDS"));
            assertEquals(0, Process.unset("LISTEN_FDS"));
        }

        /** A message with a descriptor, from one end to the other. */
        private static void exchange(EventLoopGroup loop, List<? extends Channel> pair) throws Exception {
            BlockingQueue<Object> received = new LinkedBlockingQueue<>();
            pair.get(1).config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
            pair.get(1).pipeline().addLast(new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext context, Object message) {
                    received.add(message);
                }
            });
            for (Channel channel : pair) {
                loop.register(channel).sync();
            }
            pair.get(0).writeAndFlush(new UnixMessage(Unpooled.wrappedBuffer(new byte[1]),
                    UnixFileDescriptor.eventFd(0, false))).sync();
            UnixMessage message = (UnixMessage) received.take();
            assertEquals(1, message.content().readableBytes());
            assertEquals(UnixFileDescriptor.Type.OTHER, message.fileDescriptors().get(0).type());
            message.release();
            for (Channel channel : pair) {
                channel.close().sync();
            }
        }

        private static void assertNoMemory(Executable call) {
            IOException cause = assertThrows(IOException.class, call);
            assertTrue(cause.getMessage().contains("ENOMEM"), cause.toString());
        }
    }

    @Test
    void channelsWorkAndOperationsOnPathsFail() throws Exception {
        Path agent = Path.of(NativeAllocationTest.class.getResource("/libfailing_copies.so").toURI());
        List<String> command = Jvm.command(Program.class, "-agentpath:" + agent);
        ProcessBuilder child = new ProcessBuilder(command).inheritIO();
        child.command().add(folder.toString());
        child.environment().put("LISTEN_FDS", "1");
        assertEquals(0, child.start().waitFor());
        Evidence.of("itself", "without native memory for copies, channels work, and operations on paths fail");
    }
}
