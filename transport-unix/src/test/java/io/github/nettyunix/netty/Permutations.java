package io.github.nettyunix.netty;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Repetitions;
import io.netty.bootstrap.AbstractBootstrap;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ServerChannel;
import io.netty.testsuite.transport.TestsuitePermutation.BootstrapComboFactory;
import io.netty.util.internal.PlatformDependent;

import java.io.File;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** What Netty's tests run on instead of TCP and UDP. */
final class Permutations {
    private static final Path FOLDER = newFolder();
    private static final AtomicInteger NAMES = new AtomicInteger();

    private Permutations() {
    }

    private static Path newFolder() {
        try {
            Path folder = Files.createTempDirectory("netty");
            // Some of Netty's tests leave their server open.
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                for (File file : folder.toFile().listFiles()) {
                    file.delete();
                }
                folder.toFile().delete();
            }));
            return folder;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Returns the path of a socket file that does not exist yet. */
    static UnixSocketAddress newPath() {
        return UnixSocketAddress.of(FOLDER.resolve(NAMES.incrementAndGet() + ".sock"));
    }

    private static UnixSocketAddress newAbstractName() {
        return UnixSocketAddress.ofAbstract(FOLDER.getFileName() + "-" + NAMES.incrementAndGet());
    }

    /** Where servers get their addresses from: socket files, and abstract names. */
    private static Stream<Supplier<UnixSocketAddress>> addresses() {
        // A selector does not see names: others than the default need not be tested with both kinds.
        if (PlatformDependent.isOsx() || !Loops.isDefault()) {
            return Stream.of(Permutations::newPath);
        }
        return Repetitions.areLeftOut() ? Stream.of(Permutations::newAbstractName)
                : Stream.of(Permutations::newPath, Permutations::newAbstractName);
    }

    /** Server and client of a type. */
    static List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> connections(SocketType type) {
        return connections(type, addresses());
    }

    /** The same without abstract names. */
    static List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> onFiles(SocketType type) {
        return connections(type, Stream.of(Permutations::newPath));
    }

    private static List<BootstrapComboFactory<ServerBootstrap, Bootstrap>> connections(SocketType type,
            Stream<Supplier<UnixSocketAddress>> servers) {
        return servers.map(addresses -> combo(() -> server(Channels.serverClass(type), addresses),
                () -> client(Channels.clientClass(type)))).toList();
    }

    static Bootstrap client(Class<? extends Channel> type) {
        return new Bootstrap().group(Loops.group()).channel(type);
    }

    static ServerBootstrap server(Class<? extends ServerChannel> type, Supplier<UnixSocketAddress> addresses) {
        return new UnixServerBootstrap(addresses).group(Loops.group()).channel(type);
    }

    static <S extends AbstractBootstrap<?, ?>> BootstrapComboFactory<S, Bootstrap> combo(
            Supplier<S> server, Supplier<Bootstrap> client) {
        return new BootstrapComboFactory<>() {
            @Override
            public S newServerInstance() {
                return server.get();
            }

            @Override
            public Bootstrap newClientInstance() {
                return client.get();
            }
        };
    }

    /** Netty's tests bind to a port of this host; this binds to an address of ours instead. */
    private static final class UnixServerBootstrap extends ServerBootstrap {
        private final Supplier<UnixSocketAddress> addresses;

        UnixServerBootstrap(Supplier<UnixSocketAddress> addresses) {
            this.addresses = addresses;
        }

        @Override
        public ServerBootstrap localAddress(SocketAddress ignored) {
            return super.localAddress(addresses.get());
        }

        @Override
        public ChannelFuture bind(SocketAddress ignored) {
            return super.bind(addresses.get());
        }
    }
}
