package io.github.nettyunix.testing;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixTransport;

/** The socket types that the platform has. That the others are refused is shown by {@code MissingTypeTest}. */
public final class Types {
    private Types() {
    }

    /** Whether a test with this type applies. To be called once per test, since ./verify counts those that do not. */
    public static boolean apply(SocketType type) {
        boolean applies = UnixTransport.supports(type) && !Repetitions.leaveOut(type);
        if (!applies) {
            Evidence.doesNotApply(type);
        }
        return applies;
    }
}
