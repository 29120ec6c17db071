package io.github.nettyunix;

import io.github.nettyunix.socket.FileDescriptors;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.concurrent.FastThreadLocal;

import java.util.List;

/** Releases the descriptors of a message together. */
final class DescriptorReleases {
    /** Numbers that are about to be closed. */
    private static final FastThreadLocal<int[]> NUMBERS = new FastThreadLocal<>() {
        @Override
        protected int[] initialValue() {
            return new int[UnixMessage.MAX_FILE_DESCRIPTORS];
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
    static void releaseAll(List<UnixFileDescriptor> fds) {
        if (fds.size() <= 1) {
            if (!fds.isEmpty()) {
                fds.get(0).release();
            }
            return;
        }
        int[] numbers = NUMBERS.get();
        int count = 0;
        boolean received = fds.get(0).isReceived();
        IllegalReferenceCountException failure = null;
        for (int i = 0; i < fds.size(); i++) {
            UnixFileDescriptor fd = fds.get(i);
            if (count == numbers.length || fd.isReceived() != received) {
                closeAll(fds, numbers, count, received);
                count = 0;
                received = fd.isReceived();
            }
            try {
                if (fd.releaseNumber()) {
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
                if (fd.isReceived() && fd.intValue() == numbers[i] && !fd.isClosing()) {
                    fd.closeElsewhere();
                    break;
                }
            }
        }
    }
}
