package io.github.nettyunix.fire;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.handler.FileDescriptorRefusedException;
import io.github.nettyunix.handler.PeerRefusedException;
import io.netty.channel.socket.ChannelOutputShutdownException;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;

/** Compares what arrived with what was sent, for one connection. */
final class Oracle {
    private static final Set<UnixErrno> READ_ERRORS = EnumSet.of(UnixErrno.ECONNRESET);

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
    private final Observed live;
    /** What was seen when {@link #isComplete} was called last. */
    private Observed observed;
    private WrittenOracle written;
    private final List<PeerLog.Sent> sent;
    /** How many messages of {@code sent} have been accounted for. */
    private int position;
    private boolean endedEarly;
    private int refused;

    Oracle(Scenario scenario, byte[] block, PeerLog log, int connection, Observed observed) {
        this.scenario = scenario;
        this.block = block;
        this.log = log;
        this.connection = connection;
        live = observed;
        this.observed = observed;
        sent = log.sentBy(connection);
    }

    int connection() {
        return connection;
    }

    /** How many of the messages that were written, as it seems, have not arrived, after {@link #check}. */
    int missing() {
        return written.missing();
    }

    /** Whether all has arrived that must. */
    boolean isComplete() throws Violation {
        observed = live.copy();
        position = 0;
        endedEarly = false;
        refused = 0;
        if (scenario.guard == Scenario.Guard.REFUSES_PEER) {
            return checkRefusedPeer();
        }
        if (scenario.plainDescriptors || scenario.switchesMode) {
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

    void check() throws Violation {
        if (!isComplete()) {
            throw new Violation("lost: " + firstMissing());
        }
        if (!scenario.connects && observed.isStrange(log.names.get(connection))) {
            throw new Violation("the peer is " + log.names.get(connection) + ", not " + observed.connection());
        }
        written = new WrittenOracle(scenario, block, log, connection, observed);
        written.check();
        checkReset();
        if (scenario.type != SocketType.DATAGRAM) {
            new CounterOracle(scenario, observed.channels, List.of(observed)).check(refusedDescriptors());
        }
    }

    /** What has not arrived, after {@link #isComplete} has said so. */
    String firstMissing() {
        List<Observed.Event> events = observed.events;
        return (position < sent.size() ? sent.get(position) : "descriptors") + ", after " + events.size()
                + " events, the last of which are " + events.subList(Math.max(events.size() - 2, 0), events.size());
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
        return observed.closedHere || endedEarly || isDisconnected(scenario, observed);
    }

    /** When a write finds that the peer of a datagram socket is gone, Linux discards what the peer has sent. */
    static boolean isDisconnected(Scenario scenario, Observed observed) {
        return scenario.connects && scenario.type == SocketType.DATAGRAM && observed.written.stream()
                .anyMatch(message -> message.future().cause() instanceof UnixSocketError e
                        && e.error() == UnixErrno.ECONNREFUSED);
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
                refused += event.cause() instanceof FileDescriptorRefusedException && !scenario.discardsDescriptors()
                        ? next.descriptors().size() : 0;
                // The limit handler closes the channel if too many of those that it has refused are still being closed.
                endedEarly |= scenario.guard == Scenario.Guard.LIMIT
                        && event.cause() instanceof FileDescriptorRefusedException;
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

    /** How many descriptors handlers have refused; -1 if that is not known. */
    private int refusedDescriptors() {
        return scenario.guard == Scenario.Guard.NONE || scenario.guard == Scenario.Guard.ADMITS_PEER ? 0
                : scenario.type == SocketType.SEQPACKET && scenario.guard != Scenario.Guard.QUEUE ? refused : -1;
    }

    private static boolean isLoss(Throwable cause) {
        return cause instanceof MessageTruncatedException || cause instanceof ControlDataTruncatedException
                || cause instanceof FileDescriptorRefusedException;
    }

    private void checkLoss(Throwable cause, PeerLog.Sent message) throws Violation {
        boolean permitted;
        if (cause instanceof MessageTruncatedException e) {
            permitted = e.messageSize() == message.send().length() && e.messageSize() > e.maxMessageSize()
                    && (scenario.changesOptions || e.maxMessageSize() == scenario.maxSize);
        } else if (cause instanceof FileDescriptorRefusedException) {
            permitted = mayBeRefused(message);
        } else {
            // A pidfd that another thread asks for may come with the message that is being received.
            permitted = message.descriptors().size() > scenario.maxDescriptors || scenario.changesOptions
                    || log.limited && (scenario.pidFd || !message.descriptors().isEmpty());
        }
        if (!permitted) {
            throw new Violation("dropped " + message + ": " + cause);
        }
    }

    /** Whether a handler may refuse a message because of its descriptors. */
    private boolean mayBeRefused(PeerLog.Sent message) {
        boolean has = !message.descriptors().isEmpty() && !scenario.discardsDescriptors();
        return switch (scenario.guard) {
            // It counts what is being closed as well.
            case LIMIT -> has || scenario.pidFd;
            case TYPE -> has && !message.descriptors().stream().allMatch(Oracle::isAdmitted);
            case CONTENT -> has;
            default -> false;
        };
    }

    /** Whether a handler must have refused a message with these descriptors. */
    private boolean mustBeRefused(List<String> descriptors) {
        return !scenario.discardsDescriptors() && switch (scenario.guard) {
            case LIMIT -> descriptors.size() > scenario.limit;
            case TYPE -> !descriptors.stream().allMatch(Oracle::isAdmitted);
            case CONTENT -> !descriptors.isEmpty();
            default -> false;
        };
    }

    private static boolean isAdmitted(String link) {
        return link.startsWith("/memfd:") || link.startsWith("pipe:") || link.startsWith("socket:");
    }

    /** A peer that a handler has refused: one exception, and nothing else. */
    private boolean checkRefusedPeer() throws Violation {
        int refusals = 0;
        for (Observed.Event event : observed.events) {
            if (event.cause() instanceof PeerRefusedException && refusals == 0) {
                refusals++;
            } else {
                throw new Violation("of a peer that was refused: " + event);
            }
        }
        return refusals == 1;
    }

    /** One that is not about a message. */
    private void checkFailure(Throwable cause) throws Violation {
        if (!(cause instanceof UnixSocketError e && READ_ERRORS.contains(e.error()))) {
            StringWriter trace = new StringWriter();
            cause.printStackTrace(new PrintWriter(trace));
            throw new Violation("an exception: " + trace);
        }
    }

    /** Bytes of which out-of-band ones may be missing, and descriptors, each not later than its byte. */
    private void checkStream() throws Violation {
        int within = 0;
        for (Observed.Event event : observed.events) {
            if (event.cause() != null) {
                if (event.cause() instanceof ControlDataTruncatedException) {
                    if (scenario.maxDescriptors == Scenario.MAX_DESCRIPTORS && !scenario.changesOptions
                            && !log.limited) {
                        throw new Violation("dropped descriptors: " + event.cause());
                    }
                    endedEarly = true;
                } else if (event.cause() instanceof FileDescriptorRefusedException) {
                    if (sent.stream().noneMatch(this::mayBeRefused)) {
                        throw new Violation("refused: " + event.cause());
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
                    begins &= next.descriptors().isEmpty() || parts.stream().allMatch(part -> part.send().oob());
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
            } else {
                for (String descriptor : event.descriptors()) {
                    if (count == expected.size() || !descriptor.equals(expected.get(count++))) {
                        throw new Violation("of the descriptors " + expected + ", got after " + count + ": " + event);
                    }
                }
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
        boolean queued = scenario.guard == Scenario.Guard.QUEUE;
        boolean content = scenario.guard == Scenario.Guard.CONTENT;
        boolean expected = scenario.hasControlData() && !content;
        if (mustBeRefused(descriptors)) {
            throw new Violation("not refused: " + descriptors + ", in " + event);
        }
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
        if (got != null && !got.equals(scenario.discardsDescriptors() ? List.of() : descriptors)) {
            throw new Violation("expected descriptors " + descriptors + " of " + parts + ", got " + event);
        }
        if (queued || content) {
            return;
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

    /** A peer that closes with something unread resets the connection, which must be reported once. */
    private void checkReset() throws Violation {
        long resets = observed.events.stream().filter(event -> event.cause() instanceof UnixSocketError e
                && e.error() == UnixErrno.ECONNRESET).count();
        if (resets > 1) {
            throw new Violation(resets + " resets of one connection");
        }
        if (scenario.type == SocketType.DATAGRAM || mayBeIncomplete() || isResetTakenByWrite()
                || mayCloseBeforePeer() || !scenario.closesUnread(connection)) {
            return;
        }
        long written = observed.written.stream().filter(message -> message.future().isSuccess())
                .mapToLong(Observed.Written::length).sum();
        long got = log.gotBy(connection).stream().mapToLong(PeerLog.Got::length).sum();
        if (written > got && resets == 0) {
            throw new Violation("the peer closed with " + (written - got) + " bytes unread, and no reset was reported, "
                    + observed.written.size() + " writes, the last of which is "
                    + observed.written.get(observed.written.size() - 1) + "; " + firstMissing());
        }
    }

    /**
     * A system call that has sent some records, or some bytes of a stream, does not return the error that ended it, and
     * the kernel reports it once. What is behind fails with another error, or because the channel has closed meanwhile.
     */
    private boolean isResetTakenByWrite() {
        return observed.written.stream().anyMatch(message -> isOfEndedConnection(message.future().cause())
                // The socket's new owner gets no exception that a write of the old channel has got.
                || observed.left.contains(message.future().channel()) && !message.future().isSuccess());
    }

    /**
     * A message that the kernel refuses ends the output of a stream: with descriptors for
     * a peer that accepts none, for example. Then the channel closes, with auto-read off at once, and a socket that is
     * closed here sees no reset by a peer that closes later.
     */
    private boolean mayCloseBeforePeer() {
        return scenario.type == SocketType.STREAM && observed.written.stream().anyMatch(message ->
                !message.isSkipped() && message.future().cause() instanceof UnixSocketError e
                        && (e.error() == UnixErrno.EPERM || e.error() == UnixErrno.EMFILE));
    }

    private static boolean isOfEndedConnection(Throwable cause) {
        return cause instanceof ClosedChannelException || cause instanceof ChannelOutputShutdownException
                || cause instanceof UnixSocketError e && e.error() == UnixErrno.EPIPE;
    }

    private long crc(int offset, int length) {
        CRC32 crc = new CRC32();
        crc.update(block, offset, length);
        return crc.getValue();
    }
}
