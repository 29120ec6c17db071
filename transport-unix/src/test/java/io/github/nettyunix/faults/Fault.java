package io.github.nettyunix.faults;

import io.github.nettyunix.internal.socket.Errno;

import java.util.Locale;
import java.util.stream.IntStream;

/** A system call that fails with an errno, once or repeatedly. */
record Fault(SystemCall call, String errno, Frequency frequency) {
    /** Which of the calls fail. */
    enum Frequency {
        /** Only the first one. */
        ONCE(0, 0),
        /** Only the second one: what the first has done must not hide it, nor be lost. */
        LATER(1, 0),
        /** Every second one, from the first on. */
        OFTEN(0, 2),
        /** All of them, until nothing else happens. */
        ALWAYS(0, 1);

        private final int first;
        private final int every;

        Frequency(int first, int every) {
            this.first = first;
            this.every = every;
        }
    }

    void arm() {
        Injector.arm(call, number(), frequency.first, frequency.every);
    }

    /** The number of the errno. */
    int number() {
        // The two names have one number.
        String name = errno.equals("EOPNOTSUPP") ? "ENOTSUP" : errno;
        return IntStream.range(1, 4096).filter(number -> name.equals(Errno.name(number))).findFirst()
                .orElseThrow(() -> new AssertionError(errno));
    }

    /** Whether it goes on until {@link Injector#clear}. */
    boolean isPermanent() {
        return frequency == Frequency.ALWAYS;
    }

    @Override
    public String toString() {
        return call.title() + ' ' + errno + ' ' + frequency.name().toLowerCase(Locale.ROOT);
    }
}
