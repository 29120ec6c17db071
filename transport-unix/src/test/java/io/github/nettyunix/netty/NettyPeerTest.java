package io.github.nettyunix.netty;

import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.testing.Loops;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollDomainSocketFdTest;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapComboFactory;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIf;

import java.net.SocketAddress;
import java.util.List;

/** Streams between these channels and Netty's own, in both roles. */
@Tag("once")
@EnabledIf("isNettyPeer")
class NettyPeerTest extends ConnectionTests {
    static boolean isNettyPeer() {
        return Loops.selector().equals("epoll");
    }

    @Override
    List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> connections() {
        return List.of(
                Permutations.combo(() -> Permutations.server(UnixServerStreamChannel.class, Permutations::newPath),
                        () -> Permutations.client(EpollDomainSocketChannel.class)),
                Permutations.combo(
                        () -> Permutations.server(EpollServerDomainSocketChannel.class, Permutations::newPath),
                        () -> Permutations.client(UnixStreamChannel.class)));
    }

    @Override
    List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> onFiles() {
        return connections();
    }

    @Nested
    class Fd extends EpollDomainSocketFdTest {
        @Override
        protected List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> newFactories() {
            return connections();
        }

        @Override
        protected SocketAddress newSocketAddress() {
            return Permutations.newPath();
        }
    }
}
