package io.github.nettyunix.soak;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Buffers;
import io.github.nettyunix.testing.Python;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * What is sent in one run, and what goes wrong. Message n contains its number and brings file n modulo {@link #FILES},
 * whose size is that number; {@code peers/soak.py} knows the same.
 */
class Traffic implements AutoCloseable {
    static final int FILES = 16;
    static final int SIZE = 64;
    static final int HEADER = 12;

    private static final Set<UnixErrno> OF_DEATH = EnumSet.of(UnixErrno.ECONNRESET, UnixErrno.EPIPE,
            UnixErrno.ECONNREFUSED);
    private static final long DEADLINE_MILLIS = 30_000;

    private final Buffers buffers = new Buffers();
    private final UnixFileDescriptor[] files = new UnixFileDescriptor[FILES];
    private final Path folder = Files.createTempDirectory("soak");
    private final boolean peersDie;
    private final AtomicReference<Throwable> error = new AtomicReference<>();
    private final Queue<Python> peers = new ConcurrentLinkedQueue<>();
    private final LongAdder writes = new LongAdder();
    final LongAdder received = new LongAdder();

    /** @param peersDie whether connections may end as they do when a peer is killed */
    Traffic(boolean peersDie) throws IOException {
        this.peersDie = peersDie;
        // One without bytes is a socket, since not all descriptors are closed in the same way.
        var pair = UnixFileDescriptor.socketPair(SocketType.STREAM);
        files[0] = pair.get(0);
        pair.get(1).release();
        for (int size = 1; size < FILES; size++) {
            files[size] = UnixFileDescriptor.memfd("soak", Unpooled.wrappedBuffer(new byte[size]));
        }
    }

    /** A path of this run. */
    UnixSocketAddress address(Kind kind) {
        return UnixSocketAddress.of(folder.resolve(kind.toString()));
    }

    /** Binds a server, or a datagram channel. */
    Channel bind(Kind kind, UnixSocketAddress address, Supplier<ChannelHandler> handler)
            throws InterruptedException {
        if (kind == Kind.DATAGRAM) {
            return client(kind, handler.get()).bind(address).sync().channel();
        }
        return kind.server(handler).childOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .childOption(ChannelOption.ALLOCATOR, buffers.allocator()).bind(address).sync().channel();
    }

    Bootstrap client(Kind kind, ChannelHandler handler) {
        return kind.client(handler).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .option(ChannelOption.ALLOCATOR, buffers.allocator());
    }

    /** Runs a function of {@code peers/soak.py} in a process of its own, which is ended by {@link #close()}. */
    Python start(String function, Object... arguments) throws IOException {
        String script = read("/peers/shared_memory.py") + read("/peers/soak.py") + function + "(*sys.argv[1:])";
        Python peer = Python.run(script, arguments);
        peers.add(peer);
        return peer;
    }

    private static String read(String resource) throws IOException {
        try (var in = Traffic.class.getResourceAsStream(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8) + '\n';
        }
    }

    static String hex(UnixSocketAddress address) {
        return HexFormat.of().formatHex(address.bytes());
    }

    /** @param recipient may be null */
    ChannelFuture write(ChannelHandlerContext ctx, int number, UnixSocketAddress recipient) {
        ByteBuf content = ctx.alloc().directBuffer(SIZE).writeIntLE(0).writeIntLE(number).writeIntLE(0);
        while (content.writerIndex() < SIZE) {
            content.writeByte(number);
        }
        UnixFileDescriptor fd = file(number);
        return write(ctx, recipient == null ? new UnixMessage(content, fd)
                : new UnixDatagramPacket(content, recipient, fd));
    }

    ChannelFuture write(ChannelHandlerContext ctx, Object message) {
        writes.increment();
        return ctx.write(message).addListener(future -> {
            writes.decrement();
            if (!future.isSuccess()) {
                failed(future.cause());
            }
        });
    }

    /** File n modulo {@link #FILES}, to be sent. */
    UnixFileDescriptor file(int number) {
        return files[number % FILES].retain();
    }

    boolean isWritten() {
        return writes.sum() == 0;
    }

    void failed(Throwable cause) {
        boolean expected = cause instanceof ClosedChannelException
                || cause instanceof UnixSocketError e && OF_DEATH.contains(e.error());
        if ((!peersDie || !expected) && error.compareAndSet(null, cause)) {
            cause.printStackTrace();
            abort();
        }
    }

    /** Ends the peers, so that nothing waits for them any longer. */
    void abort() {
        peers.forEach(Python::close);
    }

    /** Waits until something has happened, which is not to take longer than a loop can be kept from running. */
    void await(BooleanSupplier condition, String what) {
        long deadline = System.currentTimeMillis() + DEADLINE_MILLIS;
        while (!condition.getAsBoolean()) {
            check();
            assertTrue(System.currentTimeMillis() < deadline, what);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private void check() {
        if (error.get() != null) {
            throw new AssertionError(error.get());
        }
    }

    /** Checks that all writes have completed, that nothing has gone wrong, and that nothing is left. */
    void end() throws IOException {
        await(this::isWritten, "writes have not completed");
        for (UnixFileDescriptor file : files) {
            assertEquals(1, file.refCnt());
            file.release();
        }
        buffers.assertAllReleased();
        // Of the sockets in this process no file is left.
        Files.delete(folder);
    }

    /** Reports what went wrong first, and ends the peers. */
    @Override
    public void close() {
        peers.forEach(Python::close);
        check();
    }
}
