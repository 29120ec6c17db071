package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Settings;
import io.github.nettyunix.benchmarks.SocketKind;
import org.newsclub.net.unix.AFSocketType;
import org.newsclub.net.unix.AFUNIXDatagramChannel;
import org.newsclub.net.unix.AFUNIXSelectorProvider;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.newsclub.net.unix.AFUNIXSocketChannel;
import org.newsclub.net.unix.AFUNIXSocketExtensions;
import org.newsclub.net.unix.AFUNIXSocketPair;
import org.newsclub.net.unix.FileDescriptorCast;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * junixsocket's channels, blocking. It cannot listen for seqpacket connections: the server makes a pair of sockets and passes
 * one of them to the client through a stream, where it is no more than a byte channel.
 */
final class JunixsocketContestant extends BlockingContestant {
    private static final int BACKLOG = 4096;
    private static final int CONTROL_BYTES_OF_DESCRIPTOR = 64;

    // The passed sockets and what they came with: their end would be the end of the sockets.
    private final List<Object> keptAlive = new ArrayList<>();
    private FileInputStream passed;

    JunixsocketContestant() {
        super("junixsocket", "junixsocket, blocking");
    }

    @Override
    public String unavailable() {
        return AFUNIXSocket.isSupported() ? null : "its native library does not load";
    }

    @Override
    boolean supports(SocketKind kind) {
        return true;
    }

    @Override
    boolean canPassDescriptors(SocketKind kind) {
        return kind == SocketKind.STREAM;
    }

    private static AFUNIXSocketAddress address(Path path) throws IOException {
        return AFUNIXSocketAddress.of(path);
    }

    @Override
    Acceptor listen(Settings settings) throws IOException {
        AFUNIXServerSocketChannel server = AFUNIXServerSocketChannel.open();
        server.bind(address(settings.server()), BACKLOG);
        if (settings.kind() == SocketKind.STREAM) {
            return server::accept;
        }
        return () -> {
            AFUNIXSocketPair<AFUNIXDatagramChannel> pair = AFUNIXSelectorProvider.provider()
                    .openDatagramChannelPair(AFSocketType.SOCK_SEQPACKET);
            try (AFUNIXSocketChannel carrier = server.accept()) {
                carrier.setOutboundFileDescriptors(pair.getSocket2().getFileDescriptor());
                carrier.write(ByteBuffer.allocate(1));
            }
            // To close the client's one here would shut it down there, too.
            keptAlive.add(pair.getSocket2());
            return pair.getSocket1();
        };
    }

    @Override
    ByteChannel connect(Settings settings) throws IOException {
        if (settings.kind() == SocketKind.DATAGRAM) {
            AFUNIXDatagramChannel datagrams = AFUNIXDatagramChannel.open();
            datagrams.bind(address(settings.client()));
            datagrams.connect(address(settings.server()));
            return datagrams;
        }
        AFUNIXSocketChannel connection = AFUNIXSocketChannel.open();
        connection.connect(address(settings.server()));
        if (settings.kind() == SocketKind.STREAM) {
            return connection;
        }
        connection.setAncillaryReceiveBufferSize(CONTROL_BYTES_OF_DESCRIPTOR);
        connection.read(ByteBuffer.allocate(1));
        FileDescriptorCast received = FileDescriptorCast.using(connection.getReceivedFileDescriptors()[0]);
        keptAlive.addAll(List.of(connection, received));
        return received.as(ByteChannel.class);
    }

    @Override
    ByteChannel bindDatagrams(Settings settings) throws IOException {
        AFUNIXDatagramChannel datagrams = AFUNIXDatagramChannel.open();
        datagrams.bind(address(settings.server()));
        return datagrams;
    }

    @Override
    void connectBack(Settings settings, ByteChannel datagrams) throws IOException {
        ((AFUNIXDatagramChannel) datagrams).connect(address(settings.client()));
    }

    @Override
    void allowDescriptors(ByteChannel connection, int count) {
        ((AFUNIXSocketExtensions) connection).setAncillaryReceiveBufferSize(CONTROL_BYTES_OF_DESCRIPTOR + 4 * count);
    }

    @Override
    int closeReceived(ByteChannel connection) throws IOException {
        FileDescriptor[] received = ((AFUNIXSocketExtensions) connection).getReceivedFileDescriptors();
        for (FileDescriptor fd : received) {
            new FileInputStream(fd).close();
        }
        return received.length;
    }

    @Override
    void attachDescriptors(ByteChannel connection, int count) throws IOException {
        if (passed == null) {
            passed = new FileInputStream("/dev/null");
        }
        FileDescriptor[] all = new FileDescriptor[count];
        Arrays.fill(all, passed.getFD());
        ((AFUNIXSocketExtensions) connection).setOutboundFileDescriptors(all);
    }
}
