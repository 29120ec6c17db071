package io.github.nettyunix.internal;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.readiness.Readiness;
import io.github.nettyunix.internal.socket.CountedDescriptor;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;

import java.io.IOException;

/**
 * The descriptor that an event loop watches: a duplicate, so that nobody else can close the number, and have it opened
 * as another file, while the selector has it.
 */
public final class WatchedDescriptor extends CountedDescriptor {
    private final UnixFileDescriptor duplicate;
    private final int original;

    private WatchedDescriptor(UnixFileDescriptor duplicate, int original) {
        super(duplicate.intValue());
        this.duplicate = duplicate;
        this.original = original;
    }

    /**
     * Duplicates a descriptor.
     *
     * @throws IOException if it is closed, is of a kind that selectors cannot watch, or the process has reached its
     *         limit of descriptors
     */
    public static WatchedDescriptor of(UnixFileDescriptor fd) throws IOException {
        UnixFileDescriptor duplicate = UnixFileDescriptor.dup(fd);
        try {
            switch (duplicate.type()) {
                // Most selectors refuse these, but io_uring reports them as ready for ever, and the server of a FUSE
                // file system may never respond to a poll of one of its files.
                case REGULAR_FILE, MEMFD, DIRECTORY, BLOCK_DEVICE -> throw SocketErrors.newException(Operation.WATCH,
                        "descriptor " + fd.intValue(), Errno.EPERM, "a " + duplicate.type() + " is always ready");
                default -> {
                    return new WatchedDescriptor(duplicate, fd.intValue());
                }
            }
        } catch (Throwable t) {
            duplicate.release();
            throw t;
        }
    }

    /** Returns what the selector has failed with. */
    public IOException newException(Readiness readiness, Readiness.RefusedException e) {
        String hint = e.errno() == Errno.EPERM ? "files of this type are always ready" : readiness.hint(e.errno());
        IOException cause = SocketErrors.newException(readiness.systemCall(), "of descriptor " + original, e.errno(),
                hint);
        cause.initCause(e);
        return cause;
    }

    /** Returns the number of the descriptor that was duplicated. */
    public int original() {
        return original;
    }

    @Override
    public boolean beginUse() {
        return OwnedDescriptors.beginUse(duplicate);
    }

    @Override
    public void endUse() {
        OwnedDescriptors.endUse(duplicate);
    }

    @Override
    public boolean isOpen() {
        return duplicate.isOpen();
    }

    /** Closes the duplicate without blocking. */
    @Override
    public void close() {
        duplicate.release();
    }
}
