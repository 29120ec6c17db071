package io.github.nettyunix.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How many datagrams the kernel queues for a receiver; systemd raises the number where it is init. */
public final class DatagramQueue {
    /** More than the kernel keeps. */
    public static final int TOO_MANY = length() + 30;

    /**
     * For a sender, so that it is the receiver's queue that is full first: then datagrams to others still find room.
     */
    public static final int SEND_BUFFER = 1 << 20;

    private DatagramQueue() {
    }

    private static int length() {
        try {
            // In one piece: a second read returns nothing.
            return Integer.parseInt(Files.readAllLines(Path.of("/proc/sys/net/unix/max_dgram_qlen")).get(0));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
