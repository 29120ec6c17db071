package io.github.nettyunix.internal.socket;

import io.netty.util.internal.PlatformDependent;

/** The platform's error numbers, see errno(3). Native methods of this package return them negated. */
public final class Errno {
    public static final int EACCES = number("EACCES");
    public static final int EADDRINUSE = number("EADDRINUSE");
    public static final int EAFNOSUPPORT = number("EAFNOSUPPORT");
    public static final int EAGAIN = number("EAGAIN");
    public static final int EBADF = number("EBADF");
    public static final int ECONNREFUSED = number("ECONNREFUSED");
    public static final int ECONNRESET = number("ECONNRESET");
    public static final int EIO = number("EIO");
    public static final int EMFILE = number("EMFILE");
    public static final int EEXIST = number("EEXIST");
    public static final int EINVAL = number("EINVAL");
    public static final int EMSGSIZE = number("EMSGSIZE");
    public static final int ENAMETOOLONG = number("ENAMETOOLONG");
    public static final int ENOBUFS = number("ENOBUFS");
    public static final int ENOENT = number("ENOENT");
    public static final int ENOMEM = number("ENOMEM");
    public static final int ENOPROTOOPT = number("ENOPROTOOPT");
    public static final int ENOSPC = number("ENOSPC");
    public static final int ENOTCONN = number("ENOTCONN");
    public static final int ENOSYS = number("ENOSYS");
    public static final int ENOTSUP = number("ENOTSUP");
    public static final int ENOTSOCK = number("ENOTSOCK");
    public static final int EOPNOTSUPP = number("EOPNOTSUPP");
    public static final int EPERM = number("EPERM");
    public static final int EPIPE = number("EPIPE");
    public static final int EPROTO = number("EPROTO");
    public static final int EPROTOTYPE = number("EPROTOTYPE");
    public static final int ERANGE = number("ERANGE");
    public static final int ESRCH = number("ESRCH");
    public static final int ETIMEDOUT = number("ETIMEDOUT");
    public static final int ETOOMANYREFS = number("ETOOMANYREFS");

    // Returned by BSDs where Linux returns EAGAIN. On Linux, it means that the message is too large for the kernel's
    // memory.
    private static final boolean ENOBUFS_IS_FULL = !PlatformDependent.normalizedOs().equals("linux");

    private Errno() {
    }

    /** Whether a send may succeed when repeated, although no event will report when. */
    public static boolean isTransient(int errno) {
        return errno == ETOOMANYREFS || errno == ENOBUFS && ENOBUFS_IS_FULL;
    }

    /** Whether the kernel was short of memory. */
    public static boolean isShortage(int errno) {
        return errno == ENOBUFS || errno == ENOMEM;
    }

    /** Its symbolic name ("EAGAIN"), {@code null} if it has none. */
    public static String name(int errno) {
        return Platform.errorName(errno);
    }

    /** Returns the text of strerror(3). */
    public static String message(int errno) {
        return Platform.errorMessage(errno);
    }

    private static int number(String name) {
        return Platform.errorNumber(name);
    }
}
