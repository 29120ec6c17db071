package io.github.nettyunix.internal.socket;

import io.netty.util.internal.PlatformDependent;

/** Features of the operating system on which Java code depends. */
public final class Capabilities {
    private static final boolean LINUX = PlatformDependent.normalizedOs().equals("linux");

    /** Sockets can have names without a file. */
    public static final boolean ABSTRACT_NAMES = LINUX;

    /** A path that does not fit into {@code sun_path} is reached through an open directory below /proc/self/fd. */
    public static final boolean PROC_DIRECTORIES = LINUX;

    /** Data that has arrived can still be read after the input was shut down. */
    public static final boolean SHUT_DOWN_INPUT_IS_READABLE = LINUX;

    /** One user and one group stand for all that the user namespace does not map. */
    public static final boolean OVERFLOW_IDS = LINUX;

    /** The number of bytes of SO_SNDBUF that the kernel reserves, so that a record cannot use them. */
    public static final int SEND_BUFFER_OVERHEAD = LINUX ? 32 : 0;

    private Capabilities() {
    }
}
