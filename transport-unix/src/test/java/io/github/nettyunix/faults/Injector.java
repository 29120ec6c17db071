package io.github.nettyunix.faults;

import io.github.nettyunix.internal.socket.Errno;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * System calls that fail on the threads that ask for it, while one rule for all of them says so. Only the thread that
 * installs the filter, and threads that it starts, are affected.
 */
final class Injector {
    /** How many numbers a call may have, and how many of its arguments a rule looks at, as in C. */
    private static final int NUMBERS = 4;
    private static final int CONDITIONS = 2;

    private static final Map<String, Integer> NAMES = new LinkedHashMap<>();

    static {
        try {
            System.load(Path.of(Injector.class.getResource("/libinjected_faults.so").toURI()).toString());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
        String name;
        for (int i = 0; (name = name(i)) != null; i++) {
            NAMES.put(name, i);
        }
    }

    private Injector() {
    }

    /** Calls of this thread can fail from now on. */
    static void include() {
        int result = install();
        assertEquals(0, result, () -> "no filter: " + Errno.name(-result));
    }

    /**
     * Lets calls fail until {@link #clear}.
     *
     * @param first how many succeed before
     * @param every which of the others fail; 0: only the first of them
     */
    static void arm(SystemCall call, int errno, int first, int every) {
        int[] rule = new int[3 + 3 * CONDITIONS + NUMBERS];
        int next = 0;
        rule[next++] = errno;
        rule[next++] = first;
        rule[next++] = every;
        assertTrue(call.conditions().size() <= CONDITIONS && call.names().size() <= NUMBERS, call.title());
        for (int i = 0; i < CONDITIONS; i++) {
            boolean given = i < call.conditions().size();
            rule[next++] = given ? call.conditions().get(i).argument() : -1;
            rule[next++] = given ? call.conditions().get(i).mask() : 0;
            rule[next++] = given ? call.conditions().get(i).value() : 0;
        }
        for (int i = 0; i < NUMBERS; i++) {
            rule[next++] = i < call.names().size() ? number(NAMES.get(call.names().get(i))) : -1;
        }
        arm(rule);
    }

    /** How many calls of each name those threads have made so far. */
    static Map<String, Long> made() {
        Map<String, Long> result = new TreeMap<>();
        NAMES.forEach((name, index) -> result.put(name, made(index)));
        return result;
    }

    /** Lets no call fail any more. */
    static native void clear();

    /** How many calls have failed since the rule was armed. */
    static native int failed();

    private static native int install();

    private static native void arm(int[] rule);

    private static native long made(int index);

    private static native String name(int index);

    private static native int number(int index);
}
