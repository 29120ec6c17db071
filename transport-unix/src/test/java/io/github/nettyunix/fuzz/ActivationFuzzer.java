package io.github.nettyunix.fuzz;

import io.github.nettyunix.SocketActivation;
import io.github.nettyunix.UnixTransport;
import io.netty.channel.ChannelException;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The variables of socket activation: the first line is LISTEN_FDS, the rest LISTEN_FDNAMES. */
public final class ActivationFuzzer {
    private static final int FIRST = 3;
    private static final int MOST_NAMES = 1 << 16;

    static {
        UnixTransport.ensureAvailability();
    }

    private ActivationFuzzer() {
    }

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        String[] variables = new String(input, StandardCharsets.UTF_8).split("\n", 2);
        Integer count = (Integer) call("count", new Class<?>[] {String.class}, variables[0]);
        if (count == null) {
            return;
        }
        assertTrue(count >= 0 && count + FIRST > count, () -> "descriptors up to " + (count + FIRST));
        assertEquals(count, Integer.valueOf(variables[0]));
        if (variables.length == 2) {
            List<?> names = (List<?>) call("names", new Class<?>[] {String.class, int.class}, variables[1], count);
            boolean given = count == variables[1].chars().filter(c -> c == ':').count() + 1;
            assertEquals(count == 0 || given, names != null, variables[1]);
            if (names != null && count < MOST_NAMES) {
                assertEquals(count, names.size());
                assertEquals(count == 0 ? "" : variables[1], String.join(":", names.toArray(new String[0])));
            }
        }
    }

    /** Returns null if the value is refused. */
    private static Object call(String name, Class<?>[] types, Object... arguments) throws Exception {
        Method method = SocketActivation.class.getDeclaredMethod(name, types);
        method.setAccessible(true);
        try {
            return method.invoke(null, arguments);
        } catch (InvocationTargetException e) {
            assertInstanceOf(ChannelException.class, e.getCause());
            return null;
        }
    }
}
