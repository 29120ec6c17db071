package io.github.nettyunix.record;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.UnixChannel;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A record without bytes is a record; it is not the end of the stream, and the end is no record. */
@ExtendWith(LeakCheckExtension.class)
class EmptyRecordTest {
    private static final List<String> RECORDS = List.of("", "first", "", "", "last", "");

    private static ChannelPair pair(SocketType type, boolean controlData) {
        return ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData);
    }

    /** Sends them in one batch, or one at a time while the receiver waits for each. */
    private static void sendAll(ChannelPair pair, boolean oneByOne) throws InterruptedException {
        for (String record : RECORDS) {
            pair.sender.write(ChannelPair.buffer(record));
            if (oneByOne) {
                pair.sender.flush();
                assertEquals(record, pair.text());
            }
        }
        pair.sender.flush();
        if (!oneByOne) {
            for (String record : RECORDS) {
                assertEquals(record, pair.text());
            }
        }
    }

    @EachRow({"SEQPACKET, false, false", "SEQPACKET, false, true", "SEQPACKET, true, false", "SEQPACKET, true, true",
        "DATAGRAM, false, false", "DATAGRAM, false, true", "DATAGRAM, true, false", "DATAGRAM, true, true"})
    void emptyRecordsArriveAmongOthers(SocketType type, boolean controlData, boolean oneByOne) throws Exception {
        try (ChannelPair pair = pair(type, controlData).start()) {
            sendAll(pair, oneByOne);
            assertTrue(pair.receiver.isActive());
            assertTrue(pair.inbox.isEmpty());
            // The mark is invisible from outside: the sender has no name, and no option is set that nobody asked for.
            pair.receiver.writeAndFlush(ChannelPair.buffer("answer")).sync();
            assertEquals("answer", ChannelPair.text(pair.senderInbox.take()));
            for (Channel end : List.of(pair.sender, pair.receiver)) {
                assertEquals(0, RawSocket.localName((UnixChannel) end).length);
            }
            assertFalse(pair.receiver.config().getOption(UnixSocketOption.SO_PASSCRED));
        }
        Evidence.of("itself", "empty " + type + " records among others, " + (controlData ? "with" : "without")
                + " control data");
    }

    @EachRow({"false, SEQPACKET", "true, SEQPACKET"})
    void theEndFollowsAnEmptyRecord(boolean controlData, SocketType type) throws Exception {
        try (ChannelPair pair = pair(type, controlData).start()) {
            sendAll(pair, false);
            pair.sender.close().sync();
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            assertTrue(pair.inbox.isEmpty());
        }
        Evidence.of("itself", "the end after an empty record, " + (controlData ? "with" : "without") + " control data");
    }

    @EachRow({"false, SEQPACKET", "true, SEQPACKET"})
    void theEndOfOneDirectionFollowsAnEmptyRecord(boolean controlData, SocketType type) throws Exception {
        try (ChannelPair pair = pair(type, controlData).with(ChannelOption.ALLOW_HALF_CLOSURE, true).start()) {
            sendAll(pair, false);
            ((DuplexChannel) pair.sender).shutdownOutput().sync();
            assertInstanceOf(ChannelInputShutdownEvent.class, pair.inbox.take());
            pair.receiver.writeAndFlush(ChannelPair.buffer("")).sync();
            assertInstanceOf(ChannelOutputShutdownEvent.class, pair.senderInbox.take());
            assertEquals("", ChannelPair.text(pair.senderInbox.take()));
            assertTrue(pair.sender.isActive());
        }
    }

    @EachRow({"false, SEQPACKET", "true, SEQPACKET"})
    void emptyRecordOfAPeerThatHasClosedStaysReadable(boolean controlData, SocketType type) throws Exception {
        try (ChannelPair pair = pair(type, controlData).with(ChannelOption.AUTO_READ, false).start()) {
            pair.send("").sync();
            pair.sender.close().sync();
            ChannelPair.settle(pair.receiver);
            assertTrue(pair.receiver.isActive());
            pair.receiver.read();
            assertEquals("", pair.text());
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
        }
    }
}
