package io.github.nettyunix.faults;

/**
 * What a channel does while a system call of its event loop fails. A workload is its own oracle: it fails if anything
 * is lost without a word, comes twice, hangs, spins or is left over, and it works again once the call does.
 */
interface Workload {
    /** What it is, for the table. */
    String title();

    /**
     * Whether calls fail so often with an errno. Signals do not arrive all the time; a reset is reported once; and a
     * socket of which epoll(7) reports that it is ready is so, other than EAGAIN says.
     */
    default boolean applies(String errno, Fault.Frequency frequency) {
        if (frequency == Fault.Frequency.LATER) {
            return makesMany();
        }
        return switch (errno) {
            case "EINTR", "EAGAIN" -> frequency != Fault.Frequency.ALWAYS;
            case "ECONNRESET" -> frequency == Fault.Frequency.ONCE;
            default -> true;
        };
    }

    /** Whether there may be several calls, so that one can fail after another has succeeded. */
    default boolean makesMany() {
        return false;
    }

    /** Prepares everything, arms the fault, and returns what was seen. */
    Outcome run(Fault fault) throws Exception;
}
