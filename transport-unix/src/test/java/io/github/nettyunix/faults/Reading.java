package io.github.nettyunix.faults;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoopGroup;

import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** The first message that a new event loop reads, for which it maps memory. */
record Reading(SocketType type) implements Workload {
    @Override
    public String title() {
        return type + ", first read of an event loop";
    }

    @Override
    public Outcome run(Fault fault) throws Exception {
        Descriptors before = Descriptors.now();
        Outcome outcome = new Outcome(fault);
        EventLoopGroup group = Loops.newGroup(1);
        List<? extends Channel> pair = Channels.pair(type);
        Channel faulty = pair.get(0);
        Channel peer = pair.get(1);
        Inbox inbox = new Inbox(false);
        faulty.pipeline().addLast(inbox);
        peer.pipeline().addLast(new RecordingHandler());
        try {
            group.submit(Injector::include).sync();
            group.register(faulty).sync();
            Loops.group().register(peer).sync();
            fault.arm();
            send(peer, 0).sync();
            outcome.await(() -> inbox.count() == 1 || inbox.isInactive(), () -> "a message; " + inbox.caught());
            Injector.clear();
            if (inbox.isInactive()) {
                outcome.closed();
            } else {
                send(peer, 1).sync();
                Outcome.awaitPlainly(() -> inbox.count() == 2, "a message after the failures");
                assertEquals(List.of(0, 1), inbox.numbers());
            }
            outcome.caught(inbox.caught());
        } finally {
            Injector.clear();
            faulty.close().sync();
            peer.close().sync();
            group.shutdownGracefully(0, Outcome.TIMEOUT_SECONDS, TimeUnit.SECONDS).sync();
        }
        before.assertUnchanged();
        return outcome;
    }

    private static ChannelFuture send(Channel peer, int number) {
        return peer.writeAndFlush(Inbox.newMessage(peer.alloc(), number, 10));
    }
}
