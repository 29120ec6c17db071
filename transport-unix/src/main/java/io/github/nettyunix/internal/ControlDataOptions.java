package io.github.nettyunix.internal;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.internal.errors.ErrorDetails;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.read.RecordMark;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.util.internal.ObjectUtil;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

import static io.github.nettyunix.UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE;
import static io.github.nettyunix.UnixSocketOption.RECEIVE_CONTROL_DATA;
import static io.github.nettyunix.UnixSocketOption.SO_PASSCRED;
import static io.github.nettyunix.UnixSocketOption.SO_PASSPIDFD;
import static io.github.nettyunix.UnixSocketOption.SO_PASSRIGHTS;
import static io.github.nettyunix.UnixSocketOption.SO_PASSSEC;

/**
 * The options that determine which control data inbound messages have, and the socket options that follow from them.
 * The options of the socket always match what is read: the socket has an option before the first read that relies on
 * it. Options are set on any thread; reads belong to the event loop.
 */
public final class ControlDataOptions {
    /** The control data that one read requests, as {@link ReceiveBatch} expects it. */
    public record Wanted(int flags, int maxFds) {
        public static final Wanted NOTHING = new Wanted(0, 0);

        /** Whether messages have control data. */
        public boolean isControlData() {
            return flags != 0;
        }
    }

    /** A socket option that is on or off. */
    private enum Kernel {
        CREDENTIALS(SO_PASSCRED, UnixSocket.PASSCRED, false, "2.2"),
        PIDFD(SO_PASSPIDFD, UnixSocket.PASSPIDFD, false, "6.5"),
        LABEL(SO_PASSSEC, UnixSocket.PASSSEC, false, "2.6.18"),
        RIGHTS(SO_PASSRIGHTS, UnixSocket.PASSRIGHTS, true, "6.16");

        private static final Kernel[] ALL = values();

        private final ChannelOption<Boolean> option;
        private final int number;
        private final boolean byDefault;
        private final String since;

        Kernel(ChannelOption<Boolean> option, int number, boolean byDefault, String since) {
            this.option = option;
            this.number = number;
            this.byDefault = byDefault;
            this.since = since;
        }

        static Kernel of(ChannelOption<?> option) {
            for (Kernel kernel : ALL) {
                if (kernel.option == option) {
                    return kernel;
                }
            }
            return null;
        }

        private int bit() {
            return 1 << ordinal();
        }

        private String optionName() {
            return ControlDataOptions.name(option);
        }
    }

    private static final AtomicIntegerFieldUpdater<ControlDataOptions> READS =
            AtomicIntegerFieldUpdater.newUpdater(ControlDataOptions.class, "reads");
    private static final int DEFAULTS = Kernel.RIGHTS.bit();

    private final Channel channel;
    private final SocketType type;
    private final UnixSocket socket;
    private final RecordMark mark;
    // Guarded by this: the requested options. The last two are bits of Kernel: which are on, and which were ever set.
    private boolean receive;
    private short maxFileDescriptors = -1;
    private int on = DEFAULTS;
    private int touched;

    private volatile Wanted wanted = Wanted.NOTHING;
    // Odd while a read is under way for which the kernel discards descriptors. Written by the event loop only.
    private volatile int reads;

    /** @param mark what marks the socket's records; {@code null} where empty ones cannot be mistaken */
    ControlDataOptions(Channel channel, SocketType type, UnixSocket socket, RecordMark mark) {
        this.channel = channel;
        this.type = type;
        this.socket = socket;
        this.mark = mark;
    }

    /** The name of an option as its users know it: Netty's begin with the class. */
    static String name(ChannelOption<?> option) {
        return option.name().substring(option.name().lastIndexOf('#') + 1);
    }

    /** Returns the control data that is wanted now. */
    public Wanted wanted() {
        return wanted;
    }

    /**
     * Begins a read, and returns what it must request. {@link #endRead} must follow. Only non-blocking system calls may
     * come in between, because a thread that enables descriptors waits for the end of a read that would still discard
     * them.
     */
    public Wanted beginRead() {
        Wanted now = wanted;
        if (now.maxFds == 0) {
            READS.set(this, reads + 1);
            now = wanted;
        }
        return now;
    }

    public void endRead() {
        int number = reads;
        if ((number & 1) != 0) {
            READS.lazySet(this, number + 1);
        }
    }

    private void awaitRead() {
        int number = reads;
        while ((number & 1) != 0 && reads == number) {
            Thread.yield();
        }
    }

    synchronized Object get(ChannelOption<?> option) {
        if (option == RECEIVE_CONTROL_DATA) {
            return receive;
        }
        if (option == MAX_FILE_DESCRIPTORS_PER_MESSAGE) {
            return Integer.valueOf(maxFileDescriptors < 0 ? UnixSocket.MAX_FDS : maxFileDescriptors);
        }
        return isOn(Kernel.of(option));
    }

    /** Sets one of the options; it is not set if the kernel refuses. */
    synchronized void set(ChannelOption<?> option, Object value) {
        if (option == MAX_FILE_DESCRIPTORS_PER_MESSAGE) {
            maxFileDescriptors = (short) ObjectUtil.checkInRange((Integer) value, 0, UnixSocket.MAX_FDS,
                    "MAX_FILE_DESCRIPTORS_PER_MESSAGE");
        } else if (option == RECEIVE_CONTROL_DATA) {
            if ((Boolean) value) {
                markForControlData();
            }
            receive = (Boolean) value;
        } else {
            set(Kernel.of(option), (Boolean) value);
        }
        publish();
    }

    private void set(Kernel kernel, boolean value) {
        if (value && kernel != Kernel.RIGHTS) {
            markForControlData();
        }
        // The label stays on as long as it marks records.
        if (kernel != Kernel.LABEL || value || mark == null || mark.isTimestamped()) {
            setKernel(kernel, value);
        }
        on = value ? on | kernel.bit() : on & ~kernel.bit();
        touched |= kernel.bit();
    }

    /** Sets the options that the listener has now, even if the connection has been in its backlog for long. */
    public void inherit(ControlDataOptions listener) {
        int theirs;
        int changed;
        synchronized (listener) {
            theirs = listener.on;
            changed = listener.touched;
        }
        if (changed != 0) {
            take(theirs, changed);
        }
    }

    /** Reads the options of an adopted socket, which others may have set. */
    public void adopt() {
        int theirs = DEFAULTS;
        for (Kernel kernel : Kernel.ALL) {
            // If it marks records, a previous owner of the socket may have set it.
            if (kernel != Kernel.LABEL || mark == null) {
                theirs = getKernel(kernel) ? theirs | kernel.bit() : theirs & ~kernel.bit();
            }
        }
        if (theirs != DEFAULTS) {
            take(theirs, theirs ^ DEFAULTS);
        }
    }

    private synchronized void take(int theirs, int changed) {
        for (Kernel kernel : Kernel.ALL) {
            if ((changed & kernel.bit()) != 0) {
                set(kernel, (theirs & kernel.bit()) != 0);
            }
        }
        publish();
    }

    private void publish() {
        boolean control = receive || (on & ~Kernel.RIGHTS.bit()) != 0;
        int maxFds = !control ? 0 : maxFileDescriptors >= 0 ? maxFileDescriptors : receive ? UnixSocket.MAX_FDS : 0;
        Wanted next = !control ? Wanted.NOTHING : new Wanted(ReceiveBatch.CONTROL
                | (isOn(Kernel.CREDENTIALS) ? ReceiveBatch.CREDENTIALS : 0)
                | (isOn(Kernel.PIDFD) ? ReceiveBatch.PIDFD : 0)
                | (isOn(Kernel.LABEL) ? ReceiveBatch.LABEL : 0), maxFds);
        wanted = next;
        if (maxFds > 0) {
            awaitRead();
        }
        if (control && mark != null && mark.isTimestamped() && !isOn(Kernel.LABEL)) {
            // It is no longer needed as a mark, and labels that nobody requested would take up the room of descriptors.
            setKernel(Kernel.LABEL, false);
        }
    }

    /** With a control buffer, records need the other mark, before the first read that has one. */
    private void markForControlData() {
        if (mark != null) {
            mark.timestamp();
        }
    }

    private boolean isOn(Kernel kernel) {
        return (on & kernel.bit()) != 0;
    }

    /** If there is no such option, nobody can have set it. */
    private boolean getKernel(Kernel kernel) {
        int result = socket.getOption(kernel.number);
        return isUnknown(result) ? kernel.byDefault : check(Operation.GETSOCKOPT, kernel.optionName(), result) != 0;
    }

    private void setKernel(Kernel kernel, boolean value) {
        int result = socket.setOption(kernel.number, value);
        if (!isUnknown(result)) {
            check(Operation.SETSOCKOPT, kernel.optionName(), result);
        } else if (value != kernel.byDefault) {
            throw new UnsupportedOperationException(kernel.optionName() + ' ' + type + ": it needs Linux "
                    + kernel.since + " or later");
        }
    }

    private static boolean isUnknown(int result) {
        return result == -Errno.ENOPROTOOPT || result == -Errno.EOPNOTSUPP;
    }

    /** Returns the result of getting or setting an option, or throws what it failed with. */
    int check(Operation operation, String option, int result) {
        if (result < 0) {
            throw SocketErrors.newChannelException(new ErrorDetails(operation, option, type, channel.localAddress(),
                    result, null));
        }
        return result;
    }
}
