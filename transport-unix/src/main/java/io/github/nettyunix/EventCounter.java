package io.github.nettyunix;

import io.github.nettyunix.internal.OwnedDescriptors;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.internal.socket.Operation;
import io.netty.util.internal.ObjectUtil;

import java.io.IOException;

/**
 * Adds to and reads the counter of an eventfd, with which processes wake each other. {@link UnixFileDescriptor#eventFd}
 * creates one, or a peer has sent it; {@link UnixTransport#watch} reports when the counter is not 0. The methods do not
 * block and are thread-safe.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/eventfd.2.html">eventfd(2)</a>
 */
public final class EventCounter {
    private EventCounter() {
    }

    /**
     * Adds to the counter, which wakes those who wait for it.
     *
     * @param eventFd an eventfd in non-blocking mode. Another process that has it can change the mode, and a write
     *        blocks if that process has also filled the counter: do not add to the eventfd of a peer that you do not
     *        trust on an event loop.
     * @param count what to add
     * @return false if the counter has no room, after 2<sup>64</sup> - 2 events that nobody took; it is unchanged then
     * @throws IllegalArgumentException if the count is not positive
     * @throws IOException if the descriptor is closed; EINVAL if it is of another kind or in blocking mode, see
     *         {@link UnixFileDescriptor#setBlocking}
     */
    public static boolean add(UnixFileDescriptor eventFd, long count) throws IOException {
        ObjectUtil.checkPositive(count, "count");
        int result = -Errno.EBADF;
        if (OwnedDescriptors.beginUse(eventFd)) {
            try {
                result = FileDescriptors.addToCounter(eventFd.intValue(), count);
            } finally {
                OwnedDescriptors.endUse(eventFd);
            }
        }
        return check(Operation.WRITE, eventFd, result);
    }

    /**
     * Returns the counter and resets it to 0. Of an eventfd with EFD_SEMAPHORE, 1 is subtracted from the counter and
     * returned.
     *
     * @param eventFd an eventfd
     * @return the counter, an unsigned number; 0 if nothing was added since it was last taken
     * @throws IOException if the descriptor is closed; EINVAL if it is of another kind, or in blocking mode on a kernel
     *         before Linux 5.8 or on FreeBSD
     */
    public static long take(UnixFileDescriptor eventFd) throws IOException {
        long[] count = new long[1];
        int result = -Errno.EBADF;
        if (OwnedDescriptors.beginUse(eventFd)) {
            try {
                result = FileDescriptors.takeCounter(eventFd.intValue(), count);
            } finally {
                OwnedDescriptors.endUse(eventFd);
            }
        }
        return check(Operation.READ, eventFd, result) ? count[0] : 0;
    }

    /** Returns whether the call has succeeded, and did not find that it would have to wait. */
    private static boolean check(Operation operation, UnixFileDescriptor eventFd, int result) throws IOException {
        if (result < 0 && result != -Errno.EAGAIN) {
            throw SocketErrors.newException(operation, "of descriptor " + eventFd.intValue(), result,
                    result == -Errno.EINVAL ? "it is no eventfd in non-blocking mode" : null);
        }
        return result == 0;
    }
}
