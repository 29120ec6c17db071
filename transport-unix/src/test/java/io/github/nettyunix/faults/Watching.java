package io.github.nettyunix.faults;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Loops;
import io.netty.channel.Channel;

import java.util.List;

/** A channel whose interest in reading changes, on the event loop whose calls fail. */
record Watching(SocketType type) implements Workload {
    @Override
    public String title() {
        return type + ", auto-read turned off";
    }

    @Override
    public Outcome run(Fault fault) throws Exception {
        Descriptors before = Descriptors.now();
        Outcome outcome = new Outcome(fault);
        List<? extends Channel> pair = Channels.pair(type);
        Channel faulty = pair.get(0);
        Inbox inbox = new Inbox(false);
        faulty.pipeline().addLast(inbox);
        try {
            FaultyLoop.GROUP.register(faulty).sync();
            fault.arm();
            FaultyLoop.call(() -> faulty.config().setAutoRead(false));
            Outcome.awaitPlainly(inbox::isInactive, "the end of a channel that cannot be watched");
            outcome.closed();
            outcome.caught(inbox.caught());
        } finally {
            Injector.clear();
            faulty.close().sync();
            Loops.group().register(pair.get(1)).sync().channel().close().sync();
        }
        before.assertUnchanged();
        return outcome;
    }
}
