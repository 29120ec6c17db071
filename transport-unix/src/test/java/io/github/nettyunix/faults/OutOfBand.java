package io.github.nettyunix.faults;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.unix.UnixChannel;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** An out-of-band byte with nothing behind it, for a channel with exact positions on the loop whose calls fail. */
final class OutOfBand implements Workload {
    static {
        try {
            System.load(Path.of(OutOfBand.class.getResource("/libout_of_band.so").toURI()).toString());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public String title() {
        return "stream, exact positions, out-of-band byte";
    }

    @Override
    public Outcome run(Fault fault) throws Exception {
        Descriptors before = Descriptors.now();
        Outcome outcome = new Outcome(fault);
        List<? extends Channel> pair = Channels.pair(SocketType.STREAM);
        Channel faulty = pair.get(0);
        Channel peer = pair.get(1);
        Inbox inbox = new Inbox(true);
        faulty.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        faulty.config().setOption(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true);
        faulty.pipeline().addLast(inbox);
        peer.pipeline().addLast(new RecordingHandler());
        int fd = ((UnixChannel) peer).fd().intValue();
        try {
            FaultyLoop.GROUP.register(faulty).sync();
            Loops.group().register(peer).sync();
            fault.arm();
            assertEquals(0, send(fd));
            outcome.await(() -> unread(fd) == 0, () -> "a byte that nobody wants");
            Injector.clear();
            peer.writeAndFlush(Inbox.newMessage(peer.alloc(), 0, 10)).sync();
            Outcome.awaitPlainly(() -> inbox.count() == 1, "a message after the failures");
            outcome.caught(inbox.caught());
        } finally {
            Injector.clear();
            faulty.close().sync();
            peer.close().sync();
        }
        before.assertUnchanged();
        return outcome;
    }

    private static native int send(int fd);

    private static native int unread(int fd);
}
