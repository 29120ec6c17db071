package io.github.nettyunix.benchmarks.features;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import org.newsclub.net.unix.AFUNIXServerSocket;
import org.newsclub.net.unix.FileDescriptorCast;

import java.io.FileDescriptor;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** A server whose listening socket was its parent's, as descriptor 0: it greets one client. */
final class Inherited {
    private static final String PARENT = """
            import socket, subprocess, sys
            server = socket.socket(socket.AF_UNIX)
            server.bind(sys.argv[1])
            server.listen()
            child = subprocess.Popen(sys.argv[2:], stdin=server)
            server.close()
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(50)
            client.connect(sys.argv[1])
            try:
                print(client.recv(10).decode())
            finally:
                child.kill()
            """;

    private Inherited() {
    }

    /** Lets a library greet a client of such a server. */
    static void check(String library, Path socket) throws Exception {
        Process parent = new ProcessBuilder("python3", "-c", PARENT, socket.toString(),
                ProcessHandle.current().info().command().orElseThrow(), "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("java.class.path"), Inherited.class.getName(), library)
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        assertEquals("hello\n", new String(parent.getInputStream().readAllBytes()));
    }

    public static void main(String[] arguments) throws Exception {
        byte[] hello = "hello".getBytes();
        switch (arguments[0]) {
            case "jdk" -> {
                try (SocketChannel client = ((ServerSocketChannel) System.inheritedChannel()).accept()) {
                    client.write(ByteBuffer.wrap(hello));
                }
            }
            case "junixsocket" ->
                    FileDescriptorCast.using(FileDescriptor.in).as(AFUNIXServerSocket.class).accept().getOutputStream()
                            .write(hello);
            default -> new ServerBootstrap().group(new MultiThreadIoEventLoopGroup(EpollIoHandler.newFactory()))
                    .channelFactory(() -> new EpollServerDomainSocketChannel(0, true))
                    .childHandler(new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelActive(ChannelHandlerContext ctx) {
                            ctx.writeAndFlush(Unpooled.wrappedBuffer(hello));
                        }
                    }).register().sync();
        }
    }
}
