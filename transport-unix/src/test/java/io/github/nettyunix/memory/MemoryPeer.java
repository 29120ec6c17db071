package io.github.nettyunix.memory;

import io.github.nettyunix.UnixServerSharedMemoryChannel;
import io.github.nettyunix.UnixSharedMemoryChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.function.Supplier;

/** Servers and clients with shared memory for tests, and the Python implementation of the protocol as their peer. */
final class MemoryPeer {
    private MemoryPeer() {
    }

    static UnixSocketAddress newAddress() {
        return UnixSocketAddress.ofAbstract("memory-" + UUID.randomUUID());
    }

    static ServerBootstrap server(Supplier<ChannelHandler> child) {
        return new ServerBootstrap().group(Loops.group()).channel(UnixServerSharedMemoryChannel.class)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(child.get());
                    }
                });
    }

    static Channel listen(UnixSocketAddress address, RecordingHandler child) throws InterruptedException {
        return server(() -> child).bind(address).sync().channel();
    }

    static Bootstrap client(ChannelHandler handler) {
        return new Bootstrap().group(Loops.group()).channel(UnixSharedMemoryChannel.class).handler(handler);
    }

    /** Runs a script whose {@code sock} is a socket, connected to the address. */
    static Python connect(UnixSocketAddress address, String script, Object... arguments) throws IOException {
        return run(address, """
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                sock.connect(address)
                """ + script, arguments);
    }

    /** Runs a script whose {@code sock} is a socket that the address was connected to. It first says "ready". */
    static Python accept(UnixSocketAddress address, String script, Object... arguments) throws IOException {
        Python python = run(address, """
                listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                listener.bind(address)
                listener.listen()
                print("ready")
                sock = listener.accept()[0]
                """ + script, arguments);
        python.expect("ready");
        return python;
    }

    /** Runs a script whose {@code address} is the address. */
    static Python run(UnixSocketAddress address, String script, Object... arguments) throws IOException {
        Object[] all = new Object[arguments.length + 1];
        all[0] = address.path().substring(1);
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        try (var protocol = MemoryPeer.class.getResourceAsStream("/peers/shared_memory.py")) {
            return Python.run(new String(protocol.readAllBytes(), StandardCharsets.UTF_8) + """
                    address = "\\0" + sys.argv.pop(1)
                    """ + script, all);
        }
    }
}
