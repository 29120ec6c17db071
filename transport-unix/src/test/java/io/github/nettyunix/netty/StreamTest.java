package io.github.nettyunix.netty;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.testing.Repetitions.Repeated;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapComboFactory;
import org.junit.jupiter.api.Tag;

import java.util.List;

/** In a run without repetitions, {@link NettyPeerTest} has these tests, and {@link SeqpacketTest} kqueue. */
@Tag("repetition")
@Repeated
class StreamTest extends ConnectionTests {
    @Override
    List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> connections() {
        return Permutations.connections(SocketType.STREAM);
    }

    @Override
    List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> onFiles() {
        return Permutations.onFiles(SocketType.STREAM);
    }
}
