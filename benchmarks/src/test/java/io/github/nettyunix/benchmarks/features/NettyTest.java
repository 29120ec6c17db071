package io.github.nettyunix.benchmarks.features;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.Errors.NativeIoException;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.PeerCredentials;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.util.ReferenceCountUtil;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.newsclub.net.unix.AFSocketType;
import org.newsclub.net.unix.AFUNIXDatagramSocket;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;

import java.io.FileInputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The column of Netty's epoll channels in the README's table of features. */
@EnabledOnOs(OS.LINUX)
class NettyTest {
    private static final int SOL_SOCKET = 1;
    private static final int SO_PASSCRED = 16;
    private static final IntegerUnixChannelOption PASSCRED =
            new IntegerUnixChannelOption("SO_PASSCRED", SOL_SOCKET, SO_PASSCRED);

    @TempDir
    private Path folder;
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final Received received = new Received();

    /** Messages and exceptions. */
    @Sharable
    private static final class Received extends ChannelInboundHandlerAdapter {
        private final BlockingQueue<Object> all = new LinkedBlockingQueue<>();

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            all.add(message);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            all.add(cause);
        }

        <T> T take(Class<T> type) throws InterruptedException {
            return assertInstanceOf(type, all.poll(60, TimeUnit.SECONDS));
        }
    }

    @AfterEach
    void close() throws Exception {
        group.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
        received.all.forEach(ReferenceCountUtil::release);
    }

    private Path path() {
        return folder.resolve("sock");
    }

    private DomainSocketAddress address() {
        return new DomainSocketAddress(path().toString());
    }

    private ServerBootstrap serverBootstrap() {
        return new ServerBootstrap().group(group).channel(EpollServerDomainSocketChannel.class).childHandler(received);
    }

    private Channel server() throws InterruptedException {
        return serverBootstrap().bind(address()).sync().channel();
    }

    private ChannelFuture connect(DomainSocketAddress address) throws InterruptedException {
        return new Bootstrap().group(group).channel(EpollDomainSocketChannel.class).handler(received)
                .connect(address).await();
    }

    private EpollDomainSocketChannel client() throws InterruptedException {
        return (EpollDomainSocketChannel) connect(address()).sync().channel();
    }

    private Channel datagrams(String name) throws InterruptedException {
        return new Bootstrap().group(group).channel(EpollDomainDatagramChannel.class).handler(received)
                .bind(new DomainSocketAddress(folder.resolve(name).toString())).sync().channel();
    }

    private DomainDatagramPacket packet(int length) {
        return new DomainDatagramPacket(Unpooled.wrappedBuffer(new byte[length]), address());
    }

    private int takeDatagram() throws InterruptedException {
        DomainDatagramPacket packet = received.take(DomainDatagramPacket.class);
        int length = packet.content().readableBytes();
        packet.release();
        return length;
    }

    @Test
    @DisplayName("stream sockets")
    void streams() throws Exception {
        server();
        client().writeAndFlush(Unpooled.wrappedBuffer(new byte[3])).sync();
        ByteBuf bytes = received.take(ByteBuf.class);
        assertEquals(3, bytes.readableBytes());
        bytes.release();
    }

    @Test
    @DisplayName("seqpacket sockets")
    void noSeqpacket() throws Exception {
        try (AFUNIXDatagramSocket server = AFUNIXDatagramSocket.newInstance(AFSocketType.SOCK_SEQPACKET)) {
            server.bind(AFUNIXSocketAddress.of(path()));
            server.listen(1);
            Throwable refused = connect(address()).cause();
            assertTrue(refused.getMessage().contains("Protocol wrong type for socket"), refused::toString);
        }
    }

    @Test
    @DisplayName("datagram sockets")
    void datagramSockets() throws Exception {
        datagrams("sock");
        datagrams("sender").writeAndFlush(packet(3)).sync();
        assertEquals(3, takeDatagram());
    }

    @Test
    @DisplayName("descriptors in a message")
    void oneDescriptor() throws Exception {
        descriptorServer();
        FileDescriptor file = FileDescriptor.from("/dev/null");
        client().writeAndFlush(file).sync();
        received.take(FileDescriptor.class).close();
        file.close();

        try (AFUNIXSocket several = AFUNIXSocket.connectTo(AFUNIXSocketAddress.of(path()));
                FileInputStream one = new FileInputStream("/dev/null")) {
            several.setOutboundFileDescriptors(one.getFD(), one.getFD());
            several.getOutputStream().write(1);
            NativeIoException failure = received.take(NativeIoException.class);
            assertTrue(failure.getMessage().startsWith("recvFd"), failure::toString);
        }
    }

    private void descriptorServer() throws InterruptedException {
        serverBootstrap().childOption(UnixChannelOption.DOMAIN_SOCKET_READ_MODE, DomainSocketReadMode.FILE_DESCRIPTORS)
                .bind(address()).sync();
    }

    @Test
    @DisplayName("descriptors on seqpacket and datagram sockets")
    void noDescriptorsWithDatagrams() throws Exception {
        datagrams("sock");
        Channel sender = datagrams("sender");
        FileDescriptor file = FileDescriptor.from("/dev/null");
        assertThrows(UnsupportedOperationException.class, () -> sender.writeAndFlush(file).sync());
        file.close();
    }

    @Test
    @DisplayName("received descriptors are closed by `exec`")
    void receivedDescriptorsAreInherited() throws Exception {
        assertEquals(0, passed().get("received") & Machine.O_CLOEXEC);
    }

    @Test
    @DisplayName("a received descriptor blocks as its sender left it")
    void receivedDescriptorsAreChanged() throws Exception {
        Map<String, Integer> flags = passed();
        assertEquals(0, flags.get("before") & Machine.O_NONBLOCK);
        assertEquals(Machine.O_NONBLOCK, flags.get("after") & Machine.O_NONBLOCK);
        assertEquals(Machine.O_NONBLOCK, flags.get("received") & Machine.O_NONBLOCK);
    }

    /** Passes a descriptor: the sender's flags before and after, and those of the received one. */
    private Map<String, Integer> passed() throws Exception {
        descriptorServer();
        Path path = Files.createFile(folder.resolve("file"));
        FileDescriptor file = FileDescriptor.from(path.toFile());
        int before = Machine.flagsOf(path).get(file.intValue());
        client().writeAndFlush(file).sync();
        FileDescriptor passed = received.take(FileDescriptor.class);
        Map<Integer, Integer> after = Machine.flagsOf(path);
        passed.close();
        file.close();
        return Map.of("before", before, "after", after.get(file.intValue()), "received", after.get(passed.intValue()));
    }

    @Test
    @DisplayName("identity of the peer")
    void identity() throws Exception {
        server();
        PeerCredentials peer = client().peerCredentials();
        assertEquals(ProcessHandle.current().pid(), peer.pid());
        assertEquals(Machine.uid(), peer.uid());
        assertArrayEquals(new int[] {peer.gids()[0]}, peer.gids());
    }

    @Test
    @DisplayName("identity of each message's sender")
    void noIdentityOfSenders() throws Exception {
        Channel recipient = datagrams("sock");
        assertTrue(recipient.config().setOption(PASSCRED, 1));
        assertEquals(1, recipient.config().getOption(PASSCRED));
        datagrams("sender").writeAndFlush(packet(3)).sync();
        DomainDatagramPacket packet = received.take(DomainDatagramPacket.class);
        assertEquals(DomainDatagramPacket.class, packet.getClass());
        packet.release();
    }

    @Test
    @DisplayName("empty datagrams")
    void emptyDatagramsAreDropped() throws Exception {
        datagrams("sock");
        Channel sender = datagrams("sender");
        sender.writeAndFlush(packet(0)).sync();
        sender.writeAndFlush(packet(3)).sync();
        assertEquals(3, takeDatagram());
    }

    @Test
    @DisplayName("a datagram longer than the buffer")
    void longDatagramsAreCut() throws Exception {
        datagrams("sock");
        datagrams("sender").writeAndFlush(packet(5000)).sync();
        assertEquals(2048, takeDatagram());
    }

    @Test
    @DisplayName("a datagram to a recipient whose queue is full")
    void theLoopSpins() throws Exception {
        try (AFUNIXDatagramSocket recipient = AFUNIXDatagramSocket.newInstance()) {
            recipient.bind(AFUNIXSocketAddress.of(path()));
            Channel sender = datagrams("sender");
            while (sender.isWritable()) {
                sender.write(packet(1000));
            }
            sender.flush();
            long loop = sender.eventLoop().submit(() -> Thread.currentThread().getId()).get();
            long start = processorTime(loop);
            // Nothing happens meanwhile, so that a loop that waits takes none.
            while (processorTime(loop) < start + 200_000_000) {
                Thread.sleep(10);
            }
        }
    }

    private static long processorTime(long thread) {
        return ManagementFactory.getThreadMXBean().getThreadCpuTime(thread);
    }

    @Test
    @DisplayName("`connect` to a server whose backlog is full")
    void connectFails() throws Exception {
        serverBootstrap().option(ChannelOption.SO_BACKLOG, 1).option(ChannelOption.AUTO_READ, false).bind(address())
                .sync();
        Throwable full = null;
        while (full == null) {
            full = connect(address()).cause();
        }
        assertTrue(full.getMessage().contains("Resource temporarily unavailable"), full::toString);
    }

    @Test
    @DisplayName("`bind` to the path of a live server")
    void aLiveServerIsReplaced() throws Exception {
        server();
        Object inode = Files.getAttribute(path(), "unix:ino");
        server();
        assertNotEquals(inode, Files.getAttribute(path(), "unix:ino"));
    }

    @Test
    @DisplayName("`bind` to the path of a server that has ended")
    void aStaleSocketIsReplaced() throws Exception {
        Process ended = new ProcessBuilder("python3", "-c",
                "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path().toString()).start();
        assertEquals(0, ended.waitFor());
        assertTrue(Files.exists(path()));
        server();
    }

    @Test
    @DisplayName("`bind` to the path of a regular file")
    void aFileIsDeleted() throws Exception {
        Files.writeString(path(), "content");
        server();
        assertFalse(Files.isRegularFile(path()));
    }

    @Test
    @DisplayName("mode of the socket file")
    void theUmaskDeterminesTheMode() throws Exception {
        server();
        assertEquals(0777 & ~Machine.umask(), Machine.mode(path()));
    }

    @Test
    @DisplayName("paths longer than `sun_path` (107 bytes)")
    void noLongPaths() {
        ChannelFuture bound = serverBootstrap()
                .bind(new DomainSocketAddress(folder.resolve("x".repeat(120)).toString())).awaitUninterruptibly();
        assertTrue(bound.cause().getMessage().contains("File name too long"), bound.cause()::toString);
    }

    @Test
    @DisplayName("abstract names")
    void abstractNames() throws Exception {
        DomainSocketAddress name = new DomainSocketAddress("\0" + folder);
        serverBootstrap().bind(name).sync();
        assertTrue(connect(name).isSuccess());
    }

    @Test
    @DisplayName("a listening socket from the parent process")
    void inherited() throws Exception {
        Inherited.check("netty", path());
    }
}
