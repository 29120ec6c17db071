package io.github.nettyunix.testing;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * A channel that is connected to a Python script. The script's variables are {@code sock} and {@code peer}, the address
 * to send to, which is None if the socket is connected. A test ends with {@link #end()}; {@link #close()} cleans up
 * after a failure.
 */
public final class PeerConnection implements AutoCloseable {
    private final Descriptors before = Descriptors.now();
    private final Map<ChannelOption<?>, Object> options = new HashMap<>();
    private final Map<ChannelOption<?>, Object> serverOptions = new HashMap<>();
    private final Buffers buffers = new Buffers();
    private final RecordingHandler inbox = new RecordingHandler();
    private final Setup setup;
    private final Path folder;
    private UnixSocketAddress server;
    private UnixSocketAddress client = UnixSocketAddress.unnamed();
    private Channel listener;
    private Channel channel;
    private Python python;

    private PeerConnection(Setup setup) throws IOException {
        this.setup = setup;
        options.put(ChannelOption.ALLOCATOR, buffers.allocator());
        folder = Files.createTempDirectory("unix");
        server = name("server");
        if (setup.type() == SocketType.DATAGRAM) {
            client = name("client");
        }
    }

    private UnixSocketAddress name(String name) {
        Path path = folder.resolve(name);
        return setup.isAbstract() ? UnixSocketAddress.ofAbstract(path.toString()) : UnixSocketAddress.of(path);
    }

    public static PeerConnection in(Setup setup) throws IOException {
        return new PeerConnection(setup);
    }

    /** Uses this address instead of a new one. */
    public PeerConnection at(UnixSocketAddress address) {
        server = address;
        return this;
    }

    /** Sets an option of the channel, whether it connects or is accepted. */
    public <T> PeerConnection option(ChannelOption<T> option, T value) {
        options.put(option, value);
        return this;
    }

    /** Sets an option of the server if it is in this process, otherwise of the channel. */
    public <T> PeerConnection firstOption(ChannelOption<T> option, T value) {
        (setup.isServing() ? serverOptions : options).put(option, value);
        return this;
    }

    /** Runs the script, and returns once both are connected. */
    public PeerConnection start(String script, Object... arguments) throws Exception {
        List<Object> all = new ArrayList<>(List.of(setup.type(), setup.isServing() ? "connect" : "serve", hex(server),
                hex(client)));
        all.addAll(List.of(arguments));
        try {
            if (setup.isServing()) {
                listen();
            }
            python = Python.run("sock, peer = open_connection()\n" + script, all.toArray());
            python.expect(setup.isServing() ? "connected" : "ready");
            if (!setup.isServing()) {
                connect();
            }
            channel = inbox.channel();
            return this;
        } catch (Throwable t) {
            close();
            throw t;
        }
    }

    private void listen() throws InterruptedException {
        if (setup.type() == SocketType.DATAGRAM) {
            Bootstrap bootstrap = Channels.client(setup.type(), inbox);
            options.putAll(serverOptions);
            options.forEach((option, value) -> bootstrap.option(cast(option), value));
            listener = bootstrap.bind(server).sync().channel();
        } else {
            ServerBootstrap bootstrap = Channels.server(setup.type(), () -> inbox);
            options.forEach((option, value) -> bootstrap.childOption(cast(option), value));
            serverOptions.forEach((option, value) -> bootstrap.option(cast(option), value));
            listener = bootstrap.bind(server).sync().channel();
        }
    }

    private void connect() throws InterruptedException {
        Bootstrap bootstrap = Channels.client(setup.type(), inbox);
        options.forEach((option, value) -> bootstrap.option(cast(option), value));
        if (setup.type() == SocketType.DATAGRAM) {
            bootstrap.connect(server, client).sync();
            python.say("go");
        } else {
            bootstrap.connect(server).sync();
        }
    }

    @SuppressWarnings("unchecked")
    private static ChannelOption<Object> cast(ChannelOption<?> option) {
        return (ChannelOption<Object>) option;
    }

    private static String hex(UnixSocketAddress address) {
        return HexFormat.of().formatHex(address.bytes());
    }

    public Setup setup() {
        return setup;
    }

    public Channel channel() {
        return channel;
    }

    public RecordingHandler inbox() {
        return inbox;
    }

    public Python python() {
        return python;
    }

    /** The address that was bound first. */
    public UnixSocketAddress server() {
        return server;
    }

    /** The address of a datagram socket that came second. */
    public UnixSocketAddress client() {
        return client;
    }

    /** A message for the script. */
    public UnixMessage message(ByteBuf content, UnixFileDescriptor... fds) {
        return setup.isUnconnected() ? new UnixDatagramPacket(content, client, fds) : new UnixMessage(content, fds);
    }

    /** Bytes for the script, as a ByteBuf where that is possible. */
    public Object bytes(ByteBuf content) {
        return setup.isUnconnected() ? message(content) : content;
    }

    public ChannelFuture send(Object message) {
        return channel.writeAndFlush(message);
    }

    /** The bytes that arrive next. */
    public byte[] take() {
        return Content.take(inbox.take());
    }

    /** Checks that the script ends without an error, that nothing is left unread, and that nothing is left open. */
    public void end() throws Exception {
        python.succeed();
        closeAll();
        for (Object rest; !inbox.isEmpty() && (rest = inbox.take()) != null;) {
            if (rest != RecordingHandler.INACTIVE) {
                throw new AssertionError("arrived and not expected: " + rest);
            }
        }
        before.assertUnchanged();
        buffers.assertAllReleased();
        // Of the sockets in this process no file is left.
        Files.delete(folder);
    }

    private void closeAll() throws IOException, InterruptedException {
        for (Channel each : new Channel[] {channel, listener}) {
            if (each != null) {
                each.close().sync();
            }
        }
        if (!setup.isAbstract()) {
            Files.deleteIfExists(folder.resolve(setup.isServing() ? "client" : "server"));
        }
    }

    @Override
    public void close() throws Exception {
        if (python != null) {
            python.close();
        }
        if (Files.exists(folder)) {
            closeAll();
            inbox.release();
        }
    }
}
