package io.github.nettyunix.faults;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.bootstrap.AbstractBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A server, or a datagram channel, that binds, accepts and closes on the event loop whose calls fail. In the end, or if
 * it fails, the folder is as it was before.
 *
 * @param stage from when on calls fail
 * @param place where it binds, and how
 */
record Serving(SocketType type, Stage stage, Place place) implements Workload {
    /** The name of a folder that leaves no room in {@code sun_path}. */
    static final String LONG_NAME = "long".repeat(30);

    private static final String NAME = "s";
    private static final String TEMPORARY = ".s.0";

    /** What a server does. */
    enum Stage {
        BIND, CLOSE
    }

    /** Where a server binds. */
    enum Place {
        FREE("a free path", SocketFilePolicy.replaceStale()),
        STALE("a stale path", SocketFilePolicy.replaceStale()),
        MODE("a path with a mode", SocketFilePolicy.replaceStale().withMode("rw-rw----")),
        GROUP("a path with a group", SocketFilePolicy.replaceStale().withMode("rw-rw----").withGroup(group())),
        REPLACED("a path that is replaced atomically", SocketFilePolicy.replaceAtomically()),
        LONG("a path that is too long for sun_path", SocketFilePolicy.replaceStale()),
        ABSTRACT("an abstract name", SocketFilePolicy.replaceStale()),
        AUTOBIND("a name that the kernel chooses", SocketFilePolicy.replaceStale());

        private final String text;
        private final SocketFilePolicy policy;

        Place(String text, SocketFilePolicy policy) {
            this.text = text;
            this.policy = policy;
        }

        /** A group that the process may set. Root's is another one than files have at first. */
        private static int group() {
            UnixCredentials own = UnixCredentials.ofThisProcess();
            return own.uid() == 0 ? own.gid() + 1 : own.gid();
        }

        private boolean isTaken() {
            return this == STALE || this == REPLACED;
        }
    }

    @Override
    public String title() {
        return type + (type == SocketType.DATAGRAM ? ", " : " server, ")
                + (stage == Stage.BIND ? "bind to " : "close, ") + place.text;
    }

    @Override
    public Outcome run(Fault fault) throws Exception {
        Descriptors before = Descriptors.now();
        Outcome outcome = new Outcome(fault);
        Path folder = Files.createTempDirectory(place == Place.LONG ? LONG_NAME : "faults");
        try {
            run(fault, outcome, folder);
        } finally {
            Injector.clear();
            deleteAll(folder.toFile());
        }
        before.assertUnchanged();
        return outcome;
    }

    private void run(Fault fault, Outcome outcome, Path folder) throws Exception {
        UnixSocketAddress address = address(folder);
        if (place.isTaken()) {
            RawSocket.stale(type, folder.resolve(NAME));
        }
        Set<String> files = list(folder);
        RecordingHandler datagrams = new RecordingHandler();
        if (stage == Stage.BIND) {
            fault.arm();
        }
        ChannelFuture bind = FaultyLoop.call(() -> bind(bootstrap(datagrams), address));
        outcome.await(bind::isDone, () -> "bind");
        if (stage == Stage.BIND) {
            Injector.clear();
        }
        Channel channel = bind.channel();
        if (!bind.isSuccess()) {
            outcome.failed(bind.cause());
            if (!files.equals(list(folder))) {
                assertEquals(Set.of(NAME), list(folder), "files after a bind that has failed");
                outcome.fileLeft();
            }
            if (channel.isOpen()) {
                channel.bind(address).sync();
            } else {
                outcome.closed();
                channel = FaultyLoop.call(() -> bootstrap(datagrams).bind(address)).sync().channel();
            }
        }
        Set<String> made = list(folder);
        // A file of this name is reused by the next one that replaces it atomically.
        made.remove(TEMPORARY);
        assertEquals(place == Place.ABSTRACT || place == Place.AUTOBIND ? Set.of() : Set.of(NAME), made);
        checkMode(folder);
        Service.assertServes(type, channel.localAddress(), datagrams);
        if (stage == Stage.CLOSE) {
            fault.arm();
        }
        ChannelFuture close = channel.close();
        outcome.await(close::isDone, () -> "close");
        Injector.clear();
        if (!close.isSuccess()) {
            outcome.failed(close.cause());
        }
        assertTrue(!channel.isOpen(), "it is still open");
        checkLeft(outcome, folder, address);
        datagrams.release();
    }

    /** Other than those of a bootstrap, this does not close the channel if it fails. */
    private static ChannelFuture bind(AbstractBootstrap<?, ?> bootstrap, UnixSocketAddress address) {
        ChannelFuture registered = bootstrap.register();
        return registered.isDone() && !registered.isSuccess() ? registered : registered.channel().bind(address);
    }

    /** What is left must be something that the next server replaces. */
    private void checkLeft(Outcome outcome, Path folder, UnixSocketAddress address) throws Exception {
        Set<String> left = list(folder);
        if (!left.isEmpty()) {
            assertTrue(Set.of(NAME, TEMPORARY).containsAll(left), () -> "files that are left: " + left);
            outcome.fileLeft();
            RecordingHandler datagrams = new RecordingHandler();
            FaultyLoop.call(() -> bootstrap(datagrams).bind(address)).sync().channel().close().sync();
            assertEquals(Set.of(), list(folder), "files that are left by the next one");
        }
    }

    private void checkMode(Path folder) throws Exception {
        if (place == Place.MODE || place == Place.GROUP) {
            assertEquals(0660, (int) Files.getAttribute(folder.resolve(NAME), "unix:mode") & 07777, "mode");
        }
    }

    private AbstractBootstrap<?, ?> bootstrap(RecordingHandler datagrams) {
        AbstractBootstrap<?, ?> bootstrap = type == SocketType.DATAGRAM
                ? Channels.client(FaultyLoop.GROUP, type, datagrams)
                : Channels.server(FaultyLoop.GROUP, type, Service.Echo::new);
        bootstrap.option(UnixSocketOption.SOCKET_FILE, place.policy);
        return bootstrap;
    }

    private UnixSocketAddress address(Path folder) {
        return switch (place) {
            case ABSTRACT -> UnixSocketAddress.ofAbstract(folder.toString());
            case AUTOBIND -> UnixSocketAddress.autobind();
            default -> UnixSocketAddress.of(folder.resolve(NAME));
        };
    }

    private static Set<String> list(Path folder) throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
        }
    }

    static void deleteAll(File folder) {
        for (File file : folder.listFiles()) {
            file.delete();
        }
        folder.delete();
    }
}
