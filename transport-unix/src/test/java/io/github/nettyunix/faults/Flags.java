package io.github.nettyunix.faults;

/** Flags of system calls whose values differ between architectures, and those that all new sockets have. */
final class Flags {
    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");

    static final int O_DIRECTORY = ARM ? 040000 : 0200000;
    static final int O_NOFOLLOW = ARM ? 0100000 : 0400000;
    static final int O_NONBLOCK = 04000;
    static final int O_PATH = 010000000;
    /** SOCK_CLOEXEC and SOCK_NONBLOCK. */
    static final int SOCK_FLAGS = 02000000 | 04000;

    private Flags() {
    }
}
