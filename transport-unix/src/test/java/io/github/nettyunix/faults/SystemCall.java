package io.github.nettyunix.faults;

import java.util.List;

/**
 * A system call, or those calls of its name that have certain arguments.
 *
 * @param title what the table calls it
 * @param names the names that it has on one architecture or another
 * @param conditions the arguments
 */
record SystemCall(String title, List<String> names, List<Condition> conditions) {
    /** An argument has a value, in the bits of the mask. */
    record Condition(int argument, int mask, int value) {
    }

    /** All calls of these names; the first one is the title. */
    static SystemCall of(String... names) {
        return new SystemCall(names[0], List.of(names), List.of());
    }

    /** Those that have a value as an argument, which the title names too. */
    SystemCall with(String text, int argument, int value) {
        return with(text, new Condition(argument, -1, value));
    }

    /** Those that have flags in an argument. */
    SystemCall withFlags(String text, int argument, int flags) {
        return with(text, new Condition(argument, flags, flags));
    }

    private SystemCall with(String text, Condition condition) {
        List<Condition> all = conditions.isEmpty() ? List.of(condition) : List.of(conditions.get(0), condition);
        return new SystemCall(title + ' ' + text, names, all);
    }
}
