package io.github.nettyunix.internal;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.concurrent.FastThreadLocal;

import java.util.List;

/** Releases the descriptors of a message together. */
public final class DescriptorReleases {
    /** Numbers that are about to be closed. */
    private static final FastThreadLocal<int[]> NUMBERS = new FastThreadLocal<>() {
        @Override
        protected int[] initialValue() {
            return new int[UnixSocket.MAX_FDS];
        }
    };

    private DescriptorReleases() {
    }

    /**
     * Releases each descriptor. Those without references left are closed together, in one system call where possible.
     *
     * @throws IllegalReferenceCountException if one was released too often before; all the others are released
     *         nevertheless
     */
    public static void releaseAll(List<UnixFileDescriptor> fds) {
        if (fds.size() <= 1) {
            if (!fds.isEmpty()) {
                fds.get(0).release();
            }
            return;
        }
        int[] numbers = NUMBERS.get();
        int count = 0;
        boolean received = isReceived(fds.get(0));
        IllegalReferenceCountException failure = null;
        for (int i = 0; i < fds.size(); i++) {
            UnixFileDescriptor fd = fds.get(i);
            if (count == numbers.length || isReceived(fd) != received) {
                closeAll(fds, numbers, count, received);
                count = 0;
                received = isReceived(fd);
            }
            try {
                if (OwnedDescriptors.ACCESS.releaseNumber().test(fd)) {
                    numbers[count++] = fd.intValue();
                }
            } catch (IllegalReferenceCountException e) {
                failure = e;
            }
        }
        closeAll(fds, numbers, count, received);
        if (failure != null) {
            throw failure;
        }
    }

    private static boolean isReceived(UnixFileDescriptor fd) {
        return OwnedDescriptors.ACCESS.isReceived().test(fd);
    }

    private static void closeAll(List<UnixFileDescriptor> fds, int[] numbers, int count, boolean received) {
        if (count == 0) {
            return;
        }
        if (!received) {
            FileDescriptors.closeAll(numbers, count);
            return;
        }
        int left = FileDescriptors.closeHarmless(numbers, count);
        for (int i = 0; i < left; i++) {
            for (UnixFileDescriptor fd : fds) {
                if (isReceived(fd) && fd.intValue() == numbers[i] && !fd.isClosing()) {
                    OwnedDescriptors.ACCESS.closeElsewhere().accept(fd);
                    break;
                }
            }
        }
    }
}
