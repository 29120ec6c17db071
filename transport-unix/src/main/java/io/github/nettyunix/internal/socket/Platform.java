package io.github.nettyunix.internal.socket;

/**
 * Differences between platforms. They are in a class of their own because the native methods of a class can be
 * registered only after its constants, which come from here, have been initialized.
 */
public final class Platform {
    private Platform() {
    }

    /** The number of an error here, -1 if the platform does not know it. */
    static native int errorNumber(String name);

    /** The symbolic name of an error, {@code null} if it has none. */
    static native String errorName(int errno);

    /** Returns the text of strerror(3). */
    static native String errorMessage(int errno);

    /** The bytes of a page of memory: 4 KiB, or up to 64 KiB as on many kernels for arm64 and ppc64. */
    static native int pageSize();

    /** How long a sent descriptor must stay open for the receiver; 0 if it may be closed once it has been sent. */
    static native int keepSentMillis();

    /** Whether the positions of descriptors in a stream can be determined. */
    static native boolean canFindBarrier();

    /** The longest path that fits into {@code sun_path}, without the trailing NUL. */
    static native int maxPath();
}
