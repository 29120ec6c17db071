package io.github.nettyunix.record;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.RawSocket;
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
@ExtendWith(NothingLeft.class)
class EmptyRecordTest {
    private static final List<String> RECORDS = List.of("", "first", "", "", "last", "");

    private static Ends ends(SocketType type, boolean controlData) {
        return Ends.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData);
    }

    /** Sends them in one batch, or one by one while the receiver waits for each. */
    private static void sendAll(Ends ends, boolean oneByOne) throws InterruptedException {
        for (String record : RECORDS) {
            ends.sender.write(Ends.buffer(record));
            if (oneByOne) {
                ends.sender.flush();
                assertEquals(record, ends.text());
            }
        }
        ends.sender.flush();
        if (!oneByOne) {
            for (String record : RECORDS) {
                assertEquals(record, ends.text());
            }
        }
    }

    @EachRow({"SEQPACKET, false, false", "SEQPACKET, false, true", "SEQPACKET, true, false", "SEQPACKET, true, true",
        "DATAGRAM, false, false", "DATAGRAM, false, true", "DATAGRAM, true, false", "DATAGRAM, true, true"})
    void emptyRecordsArriveAmongOthers(SocketType type, boolean controlData, boolean oneByOne) throws Exception {
        try (Ends ends = ends(type, controlData).start()) {
            sendAll(ends, oneByOne);
            assertTrue(ends.receiver.isActive());
            assertTrue(ends.inbox.isEmpty());
            // What tells them from the end is not seen from outside: no name where one has sent, no option that nobody
            // set.
            ends.receiver.writeAndFlush(Ends.buffer("answer")).sync();
            assertEquals("answer", Ends.text(ends.senderInbox.take()));
            for (Channel end : List.of(ends.sender, ends.receiver)) {
                assertEquals(0, RawSocket.localName((UnixChannel) end).length);
            }
            assertFalse(ends.receiver.config().getOption(UnixSocketOption.SO_PASSCRED));
        }
        Proof.of("itself", "empty " + type + " records among others, " + (controlData ? "with" : "without")
                + " control data");
    }

    @EachRow({"false, SEQPACKET", "true, SEQPACKET"})
    void theEndFollowsAnEmptyRecord(boolean controlData, SocketType type) throws Exception {
        try (Ends ends = ends(type, controlData).start()) {
            sendAll(ends, false);
            ends.sender.close().sync();
            assertSame(Inbox.INACTIVE, ends.inbox.take());
            assertTrue(ends.inbox.isEmpty());
        }
        Proof.of("itself", "the end after an empty record, " + (controlData ? "with" : "without") + " control data");
    }

    @EachRow({"false, SEQPACKET", "true, SEQPACKET"})
    void theEndOfOneDirectionFollowsAnEmptyRecord(boolean controlData, SocketType type) throws Exception {
        try (Ends ends = ends(type, controlData).with(ChannelOption.ALLOW_HALF_CLOSURE, true).start()) {
            sendAll(ends, false);
            ((DuplexChannel) ends.sender).shutdownOutput().sync();
            assertInstanceOf(ChannelInputShutdownEvent.class, ends.inbox.take());
            ends.receiver.writeAndFlush(Ends.buffer("")).sync();
            assertInstanceOf(ChannelOutputShutdownEvent.class, ends.senderInbox.take());
            assertEquals("", Ends.text(ends.senderInbox.take()));
            assertTrue(ends.sender.isActive());
        }
    }

    @EachRow({"false, SEQPACKET", "true, SEQPACKET"})
    void emptyRecordOfAPeerThatHasClosedStaysReadable(boolean controlData, SocketType type) throws Exception {
        try (Ends ends = ends(type, controlData).with(ChannelOption.AUTO_READ, false).start()) {
            ends.send("").sync();
            ends.sender.close().sync();
            Ends.settle(ends.receiver);
            assertTrue(ends.receiver.isActive());
            ends.receiver.read();
            assertEquals("", ends.text());
            assertSame(Inbox.INACTIVE, ends.inbox.take());
        }
    }
}
