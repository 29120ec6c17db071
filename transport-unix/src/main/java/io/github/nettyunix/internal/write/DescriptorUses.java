package io.github.nettyunix.internal.write;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.internal.OwnedDescriptors;
import io.netty.util.concurrent.FastThreadLocal;

import java.util.Arrays;
import java.util.List;

/**
 * The uses of descriptors that a thread has begun for its next send. Until they end, nobody can close a number, so that
 * it cannot be reused for another file. Each thread has one such object, which serves all of its channels.
 */
public final class DescriptorUses {
    private static final FastThreadLocal<DescriptorUses> CURRENT = new FastThreadLocal<>() {
        @Override
        protected DescriptorUses initialValue() {
            return new DescriptorUses();
        }
    };

    private UnixFileDescriptor[] used = new UnixFileDescriptor[UnixMessage.MAX_FILE_DESCRIPTORS];
    private int count;

    private DescriptorUses() {
    }

    public static DescriptorUses current() {
        return CURRENT.get();
    }

    /** Begins to use all of them; false, and none is, if one is closed. */
    boolean begin(List<UnixFileDescriptor> fds) {
        int before = count;
        for (int i = 0; i < fds.size(); i++) {
            if (!begin(fds.get(i))) {
                end(before);
                return false;
            }
        }
        return true;
    }

    /** Begins to use one; false if it is closed. */
    boolean begin(UnixFileDescriptor fd) {
        if (!OwnedDescriptors.beginUse(fd)) {
            return false;
        }
        if (count == used.length) {
            used = Arrays.copyOf(used, 2 * count);
        }
        used[count++] = fd;
        return true;
    }

    int count() {
        return count;
    }

    /** Ends all uses but the first ones, which were begun before the others. */
    public void end(int first) {
        while (count > first) {
            UnixFileDescriptor fd = used[--count];
            used[count] = null;
            OwnedDescriptors.endUse(fd);
        }
    }
}
