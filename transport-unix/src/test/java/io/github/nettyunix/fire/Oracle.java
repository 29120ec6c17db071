package io.github.nettyunix.fire;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixSocketError;
import io.netty.channel.socket.ChannelOutputShutdownException;

import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;

/** Compares what arrived with what was sent, for one connection. */
final class Oracle {
    private static final long LINGERS_NANOS = 900_000_000;
    private static final Set<UnixErrno> READ_ERRORS = EnumSet.of(UnixErrno.ECONNRESET);
    private static final Set<UnixErrno> WRITE_ERRORS = EnumSet.of(UnixErrno.EPIPE, UnixErrno.ECONNRESET,
            UnixErrno.ECONNREFUSED, UnixErrno.ENOENT, UnixErrno.EAGAIN, UnixErrno.ENOTCONN);

    /** What is wrong. */
    static final class Violation extends Exception {
        private static final long serialVersionUID = 1;

        Violation(String message) {
            super(message);
        }
    }

    private final Scenario scenario;
    private final byte[] block;
    private final PeerLog log;
    private final int connection;
    private final Observed observed;
    private final List<PeerLog.Sent> sent;
    /** How many messages of {@code sent} have been accounted for. */
    private int position;
    private boolean endedEarly;

    Oracle(Scenario scenario, byte[] block, PeerLog log, int connection, Observed observed) {
        this.scenario = scenario;
        this.block = block;
        this.log = log;
        this.connection = connection;
        this.observed = observed;
        sent = log.sentBy(connection);
    }

    /** Whether all has arrived that must. */
    boolean isComplete() throws Violation {
        synchronized (observed) {
            position = 0;
            endedEarly = false;
            if (scenario.plainDescriptors) {
                return checkPlainDescriptors() || mayBeIncomplete();
            }
            if (scenario.type == SocketType.STREAM) {
                checkStream();
            } else {
                checkRecords();
            }
            // Of the last one a peer that was killed does not know whether it was sent.
            return mayBeIncomplete() || position >= sent.stream().filter(PeerLog.Sent::isCertain).count();
        }
    }

    void check(long closedNanos) throws Violation {
        synchronized (observed) {
            boolean complete = isComplete();
            boolean lingered = observed.outputFailedNanos != 0
                    && closedNanos - observed.outputFailedNanos > LINGERS_NANOS;
            if (!complete && !lingered) {
                List<Observed.Event> events = observed.events;
                throw new Violation("lost: " + (position < sent.size() ? sent.get(position) : "descriptors")
                        + ", after " + events.size() + " events, the last of which are "
                        + events.subList(Math.max(events.size() - 2, 0), events.size()));
            }
            checkWritten();
            checkReset();
        }
    }

    void count(Statistics statistics) {
        synchronized (statistics) {
            statistics.sent += sent.size();
            statistics.written += observed.written.size();
            statistics.returned += log.gotBy(connection).size();
            for (Observed.Written message : observed.written) {
                if (!message.future().isSuccess()) {
                    statistics.failures.merge(nameOf(message.future().cause()), 1, Integer::sum);
                }
            }
            for (Observed.Event event : observed.events) {
                if (event.cause() != null) {
                    statistics.exceptions.merge(nameOf(event.cause()), 1, Integer::sum);
                } else {
                    statistics.received++;
                    statistics.descriptors += event.descriptors() == null ? 0 : event.descriptors().size();
                }
            }
        }
    }

    private static String nameOf(Throwable cause) {
        return cause instanceof UnixSocketError e && e.error() != UnixErrno.OTHER ? e.errnoName()
                : cause.getClass().getSimpleName();
    }

    private boolean mayBeIncomplete() {
        return observed.closedHere || endedEarly || observed.shutDownHere;
    }

    private void checkRecords() throws Violation {
        for (Observed.Event event : observed.events) {
            if (event.cause() != null && !isLoss(event.cause())) {
                checkFailure(event.cause());
                continue;
            }
            if (position == sent.size()) {
                throw new Violation("more than was sent: " + event);
            }
            PeerLog.Sent next = sent.get(position);
            if (event.cause() != null) {
                checkLoss(event.cause(), next);
            } else {
                if (event.length() != next.send().length()
                        || event.crc() != crc(next.send().offset(), next.send().length())) {
                    throw new Violation("expected " + next + ", got " + event + whichIs(event));
                }
                checkControlData(event, List.of(next), next.descriptors());
            }
            position++;
        }
    }

    /** Where else the record was sent. */
    private String whichIs(Observed.Event event) {
        for (PeerLog.Sent other : sent) {
            if (other.send().length() == event.length() && crc(other.send().offset(), event.length()) == event.crc()) {
                return ", which is " + other;
            }
        }
        return "";
    }

    private static boolean isLoss(Throwable cause) {
        return cause instanceof MessageTruncatedException || cause instanceof ControlDataTruncatedException;
    }

    private void checkLoss(Throwable cause, PeerLog.Sent message) throws Violation {
        boolean permitted;
        if (cause instanceof MessageTruncatedException e) {
            permitted = e.messageSize() == message.send().length() && e.messageSize() > e.maxMessageSize()
                    && (scenario.changesOptions || e.maxMessageSize() == scenario.maxSize);
        } else {
            permitted = message.descriptors().size() > scenario.maxDescriptors
                    || !message.descriptors().isEmpty() && (scenario.changesOptions || log.limited);
        }
        if (!permitted) {
            throw new Violation("dropped " + message + ": " + cause);
        }
    }

    /** One that is not about a message. */
    private void checkFailure(Throwable cause) throws Violation {
        if (!(cause instanceof UnixSocketError e && READ_ERRORS.contains(e.error()))) {
            java.io.StringWriter trace = new java.io.StringWriter();
            cause.printStackTrace(new java.io.PrintWriter(trace));
            throw new Violation("an exception: " + trace);
        }
    }

    /** Bytes of which out-of-band ones may be missing, and descriptors, each not later than its byte. */
    private void checkStream() throws Violation {
        int within = 0;
        for (Observed.Event event : observed.events) {
            if (event.cause() != null) {
                if (event.cause() instanceof ControlDataTruncatedException) {
                    if (scenario.maxDescriptors == 253 && !scenario.changesOptions && !log.limited) {
                        throw new Violation("dropped descriptors: " + event.cause());
                    }
                    endedEarly = true;
                } else {
                    checkFailure(event.cause());
                }
                continue;
            }
            List<PeerLog.Sent> parts = new ArrayList<>();
            List<String> descriptors = new ArrayList<>();
            boolean begins = true;
            for (int i = 0; i < event.length(); i++) {
                while (position < sent.size() && within == lengthOf(sent.get(position))) {
                    position++;
                    within = 0;
                }
                if (position == sent.size()) {
                    throw new Violation("more bytes than were sent: " + (event.length() - i));
                }
                PeerLog.Sent next = sent.get(position);
                byte expected = block[next.send().offset() + within];
                if (event.bytes()[i] != expected) {
                    if (next.send().oob()) {
                        position++;
                        i--;
                        continue;
                    }
                    throw new Violation("byte " + within + " of " + next + " is another, in " + event + " at " + i
                            + whereIs(event, i));
                }
                if (within == 0) {
                    descriptors.addAll(next.descriptors());
                    begins &= i == 0 || next.descriptors().isEmpty();
                }
                if (parts.isEmpty() || parts.get(parts.size() - 1) != next) {
                    parts.add(next);
                }
                within++;
            }
            checkControlData(event, parts, descriptors);
            if (scenario.exact && scenario.controlData && !scenario.changesOptions && !begins) {
                throw new Violation("the descriptors of " + parts + " do not begin a message: " + event);
            }
        }
        // Bytes that were sent out of band last, and messages without any.
        while (position < sent.size()
                && (within == lengthOf(sent.get(position)) || within == 0 && sent.get(position).send().oob())) {
            position++;
            within = 0;
        }
    }

    /** Descriptors only, in order. Returns whether all are there. */
    private boolean checkPlainDescriptors() throws Violation {
        List<String> expected = new ArrayList<>();
        int certain = 0;
        for (PeerLog.Sent message : sent) {
            if (message.send().length() > 0) {
                expected.addAll(message.descriptors());
                certain += message.isCertain() ? message.descriptors().size() : 0;
            }
        }
        int count = 0;
        for (Observed.Event event : observed.events) {
            if (event.cause() instanceof ControlDataTruncatedException && log.limited) {
                endedEarly = true;
            } else if (event.cause() != null) {
                checkFailure(event.cause());
            } else if (count == expected.size() || !event.descriptors().get(0).equals(expected.get(count++))) {
                throw new Violation("of the descriptors " + expected + ", got after " + count + ": " + event);
            }
        }
        position = sent.size();
        return count >= certain;
    }

    /** Where else these bytes were sent. */
    private String whereIs(Observed.Event event, int from) {
        int count = Math.min(event.length() - from, 8);
        for (PeerLog.Sent other : sent) {
            for (int i = 0; i <= lengthOf(other) - count; i++) {
                int start = other.send().offset() + i;
                if (Arrays.equals(block, start, start + count, event.bytes(), from, from + count)) {
                    return ", which is byte " + i + " of " + other;
                }
            }
        }
        return ", which nobody has sent: " + Arrays.toString(Arrays.copyOfRange(event.bytes(), from, from + count));
    }

    private static int lengthOf(PeerLog.Sent message) {
        return message.isCertain() ? message.length() : message.send().length();
    }

    private void checkControlData(Observed.Event event, List<PeerLog.Sent> parts, List<String> descriptors)
            throws Violation {
        boolean expected = scenario.controlData || scenario.pidFd || scenario.credentials != Scenario.Credentials.NEVER
                || scenario.maxDescriptors != 253;
        List<String> got = event.descriptors();
        if (scenario.changesOptions) {
            if (got != null && !got.isEmpty() && !got.equals(descriptors)) {
                throw new Violation("expected descriptors " + descriptors + ", got " + event);
            }
            return;
        }
        if (expected != (got != null)) {
            throw new Violation("a message of the wrong type: " + event);
        }
        boolean discarded = !scenario.controlData || scenario.maxDescriptors == 0;
        if (got != null && !got.equals(discarded ? List.of() : descriptors)) {
            throw new Violation("expected descriptors " + descriptors + " of " + parts + ", got " + event);
        }
        if (event.hasPidFd() != scenario.pidFd) {
            throw new Violation("pidfd: " + event.hasPidFd() + ", of " + event);
        }
        checkCredentials(event.credentials(), parts);
    }

    private void checkCredentials(UnixCredentials got, List<PeerLog.Sent> parts) throws Violation {
        if (scenario.credentials == Scenario.Credentials.NEVER) {
            if (got != null) {
                throw new Violation("credentials that nobody asked for: " + got);
            }
            return;
        }
        for (PeerLog.Sent part : parts) {
            int uid = part.send().uid() < 0 ? log.uid : part.send().uid();
            int gid = part.send().uid() < 0 ? log.gid : part.send().gid();
            boolean right = got != null && got.pid() == log.pid && got.uid() == uid && got.gid() == gid;
            boolean early = scenario.credentials == Scenario.Credentials.ON_CHANNEL && got != null && got.pid() == 0;
            if (!right && !early) {
                throw new Violation("expected credentials " + log.pid + "/" + uid + "/" + gid + ", got " + got + " of "
                        + part);
            }
        }
    }

    /** What the handlers have written, as the peer got it. */
    private void checkWritten() throws Violation {
        if (observed.gaveUpWriting && log.drained.contains(connection) && observed.outputFailedNanos == 0) {
            throw new Violation("what was written did not leave, although the peer has read until the end");
        }
        List<Observed.Written> written = new ArrayList<>();
        for (Observed.Written message : observed.written) {
            if (!message.future().isDone()) {
                throw new Violation("the promise of a write did not complete: " + message);
            }
            if (message.future().isSuccess()) {
                written.add(message);
            } else {
                Throwable cause = message.future().cause();
                if (!(cause instanceof ClosedChannelException
                        || cause instanceof ChannelOutputShutdownException && observed.shutDownHere
                        || cause instanceof UnixSocketError e && WRITE_ERRORS.contains(e.error())
                        || cause instanceof UnixSocketError e && e.error() == UnixErrno.EMSGSIZE
                        && message.length() > scenario.surelyFits())) {
                    throw new Violation("a write failed: " + cause);
                }
            }
        }
        List<PeerLog.Got> got = log.gotBy(connection);
        if (scenario.type == SocketType.STREAM) {
            checkWrittenStream(got);
            return;
        }
        for (int i = 0; i < got.size(); i++) {
            if (i == written.size()) {
                throw new Violation("the peer got more than was written: " + got.get(i));
            }
            Observed.Written expected = written.get(i);
            PeerLog.Got message = got.get(i);
            if (message.length() != expected.length() || message.crc() != crc(expected.offset(), expected.length())
                    || !message.descriptors().equals(expected.descriptors())) {
                throw new Violation("written: " + expected + ", the peer got " + message);
            }
        }
        if (log.drained.contains(connection) && got.size() < written.size()) {
            throw new Violation("written, but lost: " + written.get(got.size()));
        }
    }

    /** A peer that closes with something unread resets the connection, which must be reported once. */
    private void checkReset() throws Violation {
        long resets = observed.events.stream().filter(event -> event.cause() instanceof UnixSocketError e
                && e.error() == UnixErrno.ECONNRESET).count();
        if (resets > 1) {
            throw new Violation(resets + " resets of one connection");
        }
        if (scenario.type == SocketType.DATAGRAM || mayBeIncomplete() || !scenario.closesUnread(connection)) {
            return;
        }
        long written = observed.written.stream().filter(message -> message.future().isSuccess())
                .mapToLong(Observed.Written::length).sum();
        long got = log.gotBy(connection).stream().mapToLong(PeerLog.Got::length).sum();
        if (written > got && resets == 0) {
            throw new Violation("the peer closed with " + (written - got) + " bytes unread, and no reset was reported");
        }
    }

    private void checkWrittenStream(List<PeerLog.Got> got) throws Violation {
        int next = 0;
        int within = 0;
        List<String> descriptors = new ArrayList<>();
        List<String> gotDescriptors = new ArrayList<>();
        for (PeerLog.Got read : got) {
            CRC32 crc = new CRC32();
            for (int left = read.length(); left > 0;) {
                if (next == observed.written.size()) {
                    throw new Violation("the peer got more bytes than were written");
                }
                // A message whose write failed may have been sent in part, and nothing after it.
                Observed.Written message = observed.written.get(next);
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
                throw new Violation("the peer got other bytes or descriptors than were written, before " + next
                        + " of " + observed.written.size() + ": " + gotDescriptors + ", not " + descriptors);
            }
        }
        if (log.drained.contains(connection)) {
            for (Observed.Written message : observed.written.subList(next, observed.written.size())) {
                if (message.future().isSuccess()) {
                    throw new Violation("written, but lost: " + message);
                }
            }
        }
    }

    private long crc(int offset, int length) {
        CRC32 crc = new CRC32();
        crc.update(block, offset, length);
        return crc.getValue();
    }
}
