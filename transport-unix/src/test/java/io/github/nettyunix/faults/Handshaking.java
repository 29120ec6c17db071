package io.github.nettyunix.faults;

import io.github.nettyunix.UnixServerSharedMemoryChannel;
import io.github.nettyunix.UnixSharedMemoryChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;

import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * A connection with shared memory that is established, and closed, on the event loop whose calls fail.
 *
 * @param accepts whether that loop accepts it; otherwise it connects
 */
record Handshaking(boolean accepts) implements Workload {
    @Override
    public String title() {
        return "shared memory" + (accepts ? " server, accept" : ", connect");
    }

    @Override
    public Outcome run(Fault fault) throws Exception {
        Descriptors before = Descriptors.now();
        Outcome outcome = new Outcome(fault);
        UnixSocketAddress address = UnixSocketAddress.ofAbstract("faults-" + UUID.randomUUID());
        Service.Reports reports = new Service.Reports();
        List<Channel> accepted = new CopyOnWriteArrayList<>();
        Channel server = new ServerBootstrap().group(accepts ? FaultyLoop.GROUP : Loops.group())
                .channel(UnixServerSharedMemoryChannel.class).handler(reports)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accepted.add(channel);
                        channel.pipeline().addLast(new Service.Echo(), reports);
                    }
                }).bind(address).sync().channel();
        try {
            fault.arm();
            RecordingHandler inbox = new RecordingHandler();
            ChannelFuture connect = connect(inbox, address);
            // The other side takes its time; that is no sign of waiting for the call.
            Outcome.awaitPlainly(() -> connect.isDone() || Injector.failed() > 0, "the call, or the connection");
            outcome.await(connect::isDone, () -> "connect; " + reports.caught);
            if (accepts && !connect.isSuccess()) {
                Outcome.awaitPlainly(() -> !reports.caught.isEmpty(), "a report of the connection that has gone");
            }
            if (connect.isSuccess()) {
                exchange(connect.channel(), inbox);
            }
            // With the memory of the connection. That a close fails is another row's.
            connect.channel().close().await();
            Outcome.awaitPlainly(() -> accepted.stream().noneMatch(Channel::isRegistered), "the end of the connection");
            Injector.clear();
            if (accepts) {
                outcome.caught(reports.caught);
            }
            if (!connect.isSuccess()) {
                if (accepts) {
                    outcome.dropped();
                } else {
                    outcome.failed(connect.cause());
                    outcome.closed();
                }
                RecordingHandler next = new RecordingHandler();
                Channel again = connect(next, address).sync().channel();
                exchange(again, next);
                again.close().sync();
            }
        } finally {
            Injector.clear();
            server.close().sync();
        }
        before.assertUnchanged();
        return outcome;
    }

    private ChannelFuture connect(RecordingHandler inbox, UnixSocketAddress address) {
        return new Bootstrap().group(accepts ? Loops.group() : FaultyLoop.GROUP)
                .channel(UnixSharedMemoryChannel.class).handler(inbox).connect(address);
    }

    private static void exchange(Channel channel, RecordingHandler inbox) throws Exception {
        channel.writeAndFlush(ChannelPair.buffer("hello")).sync();
        assertEquals("hello", ChannelPair.text(inbox.take()));
    }
}
