package io.github.nettyunix;

import io.netty.util.concurrent.FastThreadLocal;

import java.util.ArrayList;
import java.util.List;

/**
 * The uses of descriptors that a thread has begun for what it is about to send: until they end, nobody can close a
 * number and have it opened as another file. One of these serves all channels of a thread.
 */
final class DescriptorUses {
    private static final FastThreadLocal<DescriptorUses> CURRENT = new FastThreadLocal<>() {
        @Override
        protected DescriptorUses initialValue() {
            return new DescriptorUses();
        }
    };

    private final List<UnixFileDescriptor> used = new ArrayList<>();

    private DescriptorUses() {
    }

    static DescriptorUses current() {
        return CURRENT.get();
    }

    /** Begins to use all of them; false, and none is, if one is closed. */
    boolean begin(List<UnixFileDescriptor> fds) {
        int before = used.size();
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
        used.add(fd);
        return true;
    }

    int count() {
        return used.size();
    }

    /** Ends the uses behind the first {@code count}. */
    void end(int count) {
        for (int i = used.size() - 1; i >= count; i--) {
            OwnedDescriptors.endUse(used.remove(i));
        }
    }
}
