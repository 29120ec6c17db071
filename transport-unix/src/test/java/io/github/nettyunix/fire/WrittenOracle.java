package io.github.nettyunix.fire;

import io.github.nettyunix.DatagramQueueFull;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixSocketError;
import io.netty.channel.socket.ChannelOutputShutdownException;

import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;

/** Compares what the peer got with what was written, for one connection. */
final class WrittenOracle {
    private static final Set<UnixErrno> ERRORS = EnumSet.of(UnixErrno.EPIPE, UnixErrno.ECONNRESET,
            UnixErrno.ECONNREFUSED, UnixErrno.ENOENT, UnixErrno.ENOTCONN);
    private static final String OURSELVES = ProcessHandle.current().pid() + "/" + UnixCredentials.ofThisProcess().uid()
            + "/" + UnixCredentials.ofThisProcess().gid();
    private static final String NONE = "-";
    /** What is sent before the peer has asked for credentials has none. */
    private static final String UNKNOWN = "0/65534/65534";

    private final Scenario scenario;
    private final byte[] block;
    private final PeerLog log;
    private final int connection;
    private final Observed observed;
    private int missing;

    WrittenOracle(Scenario scenario, byte[] block, PeerLog log, int connection, Observed observed) {
        this.scenario = scenario;
        this.block = block;
        this.log = log;
        this.connection = connection;
        this.observed = observed;
    }

    /** How many have not arrived, of those whose promises have succeeded. */
    int missing() {
        return missing;
    }

    void check() throws Oracle.Violation {
        for (Observed.Written message : observed.written) {
            if (!message.future().isDone()) {
                throw new Oracle.Violation("the promise of a write did not complete: " + message);
            }
            if (message.future().isSuccess() ? message.refused() : !mayFail(message)) {
                throw new Oracle.Violation("a write has succeeded or failed that must not: " + message);
            }
        }
        List<PeerLog.Got> got = log.gotBy(connection);
        for (PeerLog.Got message : got) {
            if (!message.sender().equals(NONE) && !message.sender().equals(OURSELVES)
                    && !(scenario.connects && message.sender().equals(UNKNOWN))) {
                throw new Oracle.Violation("the peer got a message of " + message.sender() + ", not " + OURSELVES);
            }
        }
        if (scenario.type == SocketType.STREAM) {
            checkStream(got);
        } else {
            checkRecords(got);
        }
    }

    private boolean mayFail(Observed.Written message) {
        Throwable cause = message.future().cause();
        if (message.isSkipped() || cause instanceof ClosedChannelException
                || cause instanceof ChannelOutputShutdownException
                && (observed.shutDownHere || observed.closedHere)) {
            return true;
        }
        if (!(cause instanceof UnixSocketError error)) {
            // A file that is to be sent is opened here.
            return log.limited && scenario.type == SocketType.STREAM;
        }
        return ERRORS.contains(error.error()) || switch (error.error()) {
            case EMSGSIZE -> scenario.type != SocketType.STREAM && message.length() > scenario.surelyFits();
            case EPERM -> log.refusing.contains(connection)
                    && (scenario.type == SocketType.STREAM || !message.descriptors().isEmpty());
            case EAGAIN -> scenario.type == SocketType.DATAGRAM && (scenario.changesOptions
                    || scenario.queueFull == DatagramQueueFull.FAIL || scenario.waitMillis < 1_000);
            case EMFILE -> log.limited;
            default -> false;
        };
    }

    private void checkRecords(List<PeerLog.Got> got) throws Oracle.Violation {
        List<Observed.Written> written = observed.written.stream().filter(message -> message.future().isSuccess())
                .toList();
        boolean mayDrop = scenario.type == SocketType.DATAGRAM
                && (scenario.queueFull == DatagramQueueFull.DROP || scenario.changesOptions);
        missing = 0;
        int next = 0;
        for (PeerLog.Got message : got) {
            while (next < written.size() && mayDrop && !isSame(written.get(next), message)) {
                next++;
                missing++;
            }
            if (next == written.size()) {
                throw new Oracle.Violation("the peer got more than was written: " + message);
            }
            if (!isSame(written.get(next), message)) {
                throw new Oracle.Violation("written: " + written.get(next) + ", the peer got " + message);
            }
            next++;
        }
        if (log.drained.contains(connection) && next < written.size()) {
            if (!mayDrop) {
                throw new Oracle.Violation("written, but lost: " + written.get(next));
            }
            missing += written.size() - next;
        }
    }

    private boolean isSame(Observed.Written message, PeerLog.Got got) {
        if (message.length() != got.length() || !message.descriptors().equals(got.descriptors())) {
            return false;
        }
        CRC32 crc = new CRC32();
        crc.update(block, message.offset(), message.length());
        return crc.getValue() == got.crc();
    }

    private void checkStream(List<PeerLog.Got> got) throws Oracle.Violation {
        // What was flushed is written before a socket is given away. What fails with its first channel was not sent.
        List<Observed.Written> written = observed.written.stream().filter(message -> !message.isSkipped()
                && !(message.future().cause() instanceof ClosedChannelException
                        && observed.left.contains(message.future().channel()))).toList();
        int next = 0;
        int within = 0;
        List<String> descriptors = new ArrayList<>();
        List<String> gotDescriptors = new ArrayList<>();
        for (PeerLog.Got read : got) {
            CRC32 crc = new CRC32();
            for (int left = read.length(); left > 0;) {
                if (next == written.size()) {
                    throw new Oracle.Violation("the peer got more bytes than were written");
                }
                // A message whose write failed may have been sent in part, and nothing after it.
                Observed.Written message = written.get(next);
                if (within == 0) {
                    descriptors.addAll(message.descriptors());
                }
                int part = Math.min(left, message.length() - within);
                crc.update(block, message.offset() + within, part);
                left -= part;
                within += part;
                if (within == message.length()) {
                    next++;
                    within = 0;
                }
            }
            gotDescriptors.addAll(read.descriptors());
            if (crc.getValue() != read.crc() || !gotDescriptors.equals(descriptors)) {
                throw new Oracle.Violation("the peer got other bytes or descriptors than were written, before " + next
                        + " of " + written.size() + ": " + gotDescriptors + ", not " + descriptors);
            }
        }
        if (log.drained.contains(connection)) {
            for (Observed.Written message : written.subList(next, written.size())) {
                if (message.future().isSuccess()) {
                    throw new Oracle.Violation("written, but lost: " + message);
                }
            }
        }
    }
}
