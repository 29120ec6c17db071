package io.github.nettyunix.internal;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.netty.channel.unix.FileDescriptor;

/** Access of the internals to {@link UnixFileDescriptor}s. */
public final class OwnedDescriptors {
    static final ValueAccess.OfDescriptor<UnixFileDescriptor> ACCESS =
            ValueAccess.ofDescriptor(UnixFileDescriptor.class);

    private OwnedDescriptors() {
    }

    /**
     * Returns the owner of a descriptor.
     *
     * @param received whether a peer sent it, so that closing it may block
     */
    public static UnixFileDescriptor adopt(int fd, boolean received) {
        return ACCESS.adopt().adopt(fd, received);
    }

    /** Keeps the number from being closed until {@link #endUse}; false if it is closed already. */
    public static boolean beginUse(UnixFileDescriptor fd) {
        return ACCESS.uses().begin(fd);
    }

    /** Ends a use, and closes the number if its owner was closed meanwhile; a failure to close has no consequence. */
    @SuppressWarnings("ReturnValueIgnored")
    public static void endUse(UnixFileDescriptor fd) {
        if (ACCESS.uses().end(fd)) {
            ACCESS.closeNumber().applyAsInt(fd);
        }
    }

    /**
     * Duplicates a descriptor that another thread may be closing.
     *
     * @param least the lowest number that the duplicate may have
     * @return its number, which is the caller's to close; or a negative errno, -EBADF if the descriptor is closed
     */
    public static int duplicate(FileDescriptor fd, int least) {
        if (!(fd instanceof UnixFileDescriptor ours)) {
            return DescriptorFiles.duplicate(fd, least);
        }
        if (!beginUse(ours)) {
            return -Errno.EBADF;
        }
        try {
            return FileDescriptors.duplicate(fd.intValue(), least);
        } finally {
            endUse(ours);
        }
    }
}
