package io.github.nettyunix.examples.proxy;

import java.util.concurrent.atomic.LongAdder;

/** The traffic that has been forwarded in one direction. */
final class Traffic {
    private final LongAdder bytes = new LongAdder();
    private final LongAdder fds = new LongAdder();

    void add(int moreBytes, int moreFds) {
        bytes.add(moreBytes);
        fds.add(moreFds);
    }

    long bytes() {
        return bytes.sum();
    }

    long fds() {
        return fds.sum();
    }
}
