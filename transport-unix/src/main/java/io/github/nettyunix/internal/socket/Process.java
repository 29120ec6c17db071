package io.github.nettyunix.internal.socket;

import java.nio.charset.StandardCharsets;

/**
 * The identity of this process, and its environment, of which {@link System#getenv()} is a copy made when it is first
 * called.
 */
@SuppressWarnings("JavaLangClash")
public final class Process {
    private Process() {
    }

    /** Fills in pid, effective uid and effective gid. */
    public static native int identity(int[] ids);

    /** The number of supplementary groups; -EINVAL if the array is too small for them. */
    public static native int groups(int[] ids);

    /** RLIMIT_NOFILE, see getrlimit(2): how many descriptors this process may have. */
    public static native long descriptorLimit();

    /** The value of an environment variable now; {@code null} if it is not set. */
    public static String variable(String name) {
        byte[] value = variable(CString.of(name));
        return value == null ? null : new String(value, StandardCharsets.UTF_8);
    }

    /**
     * Removes a variable from the environment. See unsetenv(3): no other thread may look at the environment meanwhile.
     */
    public static int unset(String name) {
        return unset(CString.of(name));
    }

    private static native byte[] variable(byte[] name);

    private static native int unset(byte[] name);
}
