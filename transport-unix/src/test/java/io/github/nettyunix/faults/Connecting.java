package io.github.nettyunix.faults;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;

import java.nio.file.Files;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * A client that connects, and closes, on the event loop whose calls fail.
 *
 * @param longPath whether the server's path is too long for {@code sun_path}
 */
record Connecting(SocketType type, Stage stage, boolean controlData, boolean longPath) implements Workload {
    /** From when on calls fail. */
    enum Stage {
        CONNECT, CLOSE
    }

    @Override
    public String title() {
        return type + (stage == Stage.CLOSE ? ", close" : ", connect") + (controlData ? " with control data" : "")
                + (longPath ? " to a path that is too long for sun_path" : "");
    }

    /** A backlog that is full stays so until the server accepts. */
    @Override
    public boolean applies(String errno, Fault.Frequency frequency) {
        return errno.equals("EAGAIN") && frequency != Fault.Frequency.LATER || Workload.super.applies(errno, frequency);
    }

    @Override
    public Outcome run(Fault fault) throws Exception {
        Descriptors before = Descriptors.now();
        Outcome outcome = new Outcome(fault);
        Path folder = Files.createTempDirectory(longPath ? Serving.LONG_NAME : "faults");
        UnixSocketAddress address = UnixSocketAddress.of(folder.resolve("s"));
        RecordingHandler datagrams = new RecordingHandler();
        Channel server = Service.start(type, address, datagrams);
        try {
            if (stage == Stage.CONNECT) {
                fault.arm();
            }
            RecordingHandler first = new RecordingHandler();
            RecordingHandler inbox = first;
            ChannelFuture connect = FaultyLoop.call(() -> connect(first, address));
            outcome.await(connect::isDone, () -> "connect");
            Channel client = connect.channel();
            if (stage == Stage.CONNECT) {
                Injector.clear();
            }
            if (!connect.isSuccess()) {
                outcome.failed(connect.cause());
                if (client.isOpen()) {
                    client.connect(address).sync();
                } else {
                    outcome.closed();
                    inbox = new RecordingHandler();
                    client = connect(inbox, address).sync().channel();
                }
            }
            client.writeAndFlush(ChannelPair.buffer("hello")).sync();
            assertEquals("hello", ChannelPair.text((type == SocketType.DATAGRAM ? datagrams : inbox).take()));
            if (stage == Stage.CLOSE) {
                fault.arm();
            }
            ChannelFuture close = client.close();
            outcome.await(close::isDone, () -> "close");
            Injector.clear();
            if (!close.isSuccess()) {
                outcome.failed(close.cause());
            }
        } finally {
            Injector.clear();
            server.close().sync();
            Files.delete(folder);
        }
        before.assertUnchanged();
        return outcome;
    }

    /** Other than that of a bootstrap, this does not close the channel if it fails. */
    private ChannelFuture connect(RecordingHandler inbox, UnixSocketAddress address) {
        ChannelFuture registered = Channels.client(FaultyLoop.GROUP, type, inbox)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData).register();
        return registered.isDone() && !registered.isSuccess() ? registered : registered.channel().connect(address);
    }
}
