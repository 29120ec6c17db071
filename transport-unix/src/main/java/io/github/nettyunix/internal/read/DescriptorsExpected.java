package io.github.nettyunix.internal.read;

import io.github.nettyunix.internal.socket.Process;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.UnixSocket;

/**
 * Determines how many messages that may bring descriptors are received per system call. A peer decides how many
 * descriptors are open before any handler sees them, because the kernel installs those of a whole batch at once.
 * Messages of a stranger are therefore received one at a time, until a few descriptors have arrived. Messages of a
 * trusted peer are received together, which costs a third less: as many as would bring the descriptors of one full
 * message, judging by recent ones, but no more than the process has room for in the worst case.
 */
public final class DescriptorsExpected {
    // Approximately the maximum number of descriptors of recent messages.
    private int perMessage = UnixSocket.MAX_FDS;
    // The kernel gives out the lowest free number.
    private int lastNumber;
    private long limit;

    /** Returns how many messages to receive together, 1 if a batch has to be able to end early. */
    int together(int most, int maxFds) {
        int typical = Math.min(UnixSocket.MAX_FDS / Math.max(perMessage, 1), most);
        if (typical <= 1) {
            return 1;
        }
        if (limit == 0) {
            limit = Process.descriptorLimit();
        }
        long free = (limit - lastNumber) / 2;
        return (int) Math.max(Math.min(typical, free / Math.max(maxFds, 1)), 1);
    }

    /** A message was received. */
    void received(ReceiveBatch batch, int index) {
        int count = batch.descriptorCount(index);
        // Grows at once and shrinks slowly.
        perMessage = count > perMessage ? count : perMessage - (perMessage - count + 7) / 8;
        if (count > 0) {
            lastNumber = batch.descriptor(index, count - 1);
        }
    }
}
