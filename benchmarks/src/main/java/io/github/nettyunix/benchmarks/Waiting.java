package io.github.nettyunix.benchmarks;

import java.util.Locale;

/** How both sides wait for the next message. */
public enum Waiting {
    /** They sleep until there is one. */
    SLEEP,
    /** They look for 50 microseconds, and then sleep. */
    LOOK,
    /** They never sleep. */
    SPIN;

    /** Its name on command lines. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
