package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Settings;
import io.github.nettyunix.benchmarks.SocketKind;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** The JDK's own channels, blocking. */
final class JdkContestant extends BlockingContestant {
    private static final int BACKLOG = 4096;

    JdkContestant() {
        super("jdk", "JDK, blocking");
    }

    @Override
    boolean supports(SocketKind kind) {
        return kind == SocketKind.STREAM;
    }

    @Override
    Acceptor listen(Settings settings) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(settings.server()), BACKLOG);
        return server::accept;
    }

    @Override
    ByteChannel connect(Settings settings) throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(settings.server()));
    }
}
