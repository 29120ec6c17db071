package io.github.nettyunix.netty;

import io.github.nettyunix.SocketType;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapComboFactory;

import java.util.List;

class SeqpacketTest extends ConnectionTests {
    @Override
    List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> connections() {
        return Permutations.connections(SocketType.SEQPACKET);
    }
}
