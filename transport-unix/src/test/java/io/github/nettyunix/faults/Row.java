package io.github.nettyunix.faults;

import java.util.ArrayList;
import java.util.List;

/** What is specified of a system call in one workload: for each errno, the reaction. */
final class Row {
    /**
     * An errno and what it leads to.
     *
     * @param repeated what it leads to if the call keeps failing; {@code null} if that is the same
     */
    record Cell(String errno, Reaction reaction, Reaction repeated) {
    }

    final SystemCall call;
    final Workload workload;
    final List<Cell> cells = new ArrayList<>();

    String named;
    Reaction later;
    boolean optional;

    private Row(SystemCall call, Workload workload) {
        this.call = call;
        this.workload = workload;
    }

    static Row of(SystemCall call, Workload workload) {
        return new Row(call, workload);
    }

    /** Not every kernel leads to this call, nor every user. */
    Row optional() {
        optional = true;
        return this;
    }

    /** Specifies what any failure leads to after a call that has succeeded, if that is not the same. */
    Row later(Reaction reaction) {
        later = reaction;
        return this;
    }

    /** What is reported may name this errno instead. */
    Row named(String errno) {
        named = errno;
        return this;
    }

    /** Specifies the reaction to these errnos, which blanks separate. */
    Row when(Reaction reaction, String... errnos) {
        return whenRepeated(reaction, null, errnos);
    }

    /** Specifies another reaction if the call keeps failing. */
    Row whenRepeated(Reaction once, Reaction repeated, String... errnos) {
        for (String errno : String.join(" ", errnos).split(" ")) {
            cells.add(new Cell(errno, once, repeated));
        }
        return this;
    }

    Reaction reaction(Cell cell, Fault.Frequency frequency) {
        return frequency == Fault.Frequency.ALWAYS && cell.repeated != null ? cell.repeated
                : frequency == Fault.Frequency.LATER && later != null ? later : cell.reaction;
    }

    /** Runs the workload and returns what was wrong; {@code null} if nothing was. */
    String run(Fault fault, Reaction expected) {
        try {
            Outcome outcome = workload.run(fault);
            if (Injector.failed() == 0) {
                // How many calls there are may depend on what arrives together.
                return optional || fault.frequency() == Fault.Frequency.LATER ? null : "the call is not made";
            }
            Reaction seen = outcome.reaction(named);
            return Outcome.agrees(expected, seen) ? null
                    : "the library " + seen + ", but is to be one that " + expected + "; " + outcome;
        } catch (Exception | AssertionError e) {
            return e.toString();
        } finally {
            Injector.clear();
        }
    }
}
