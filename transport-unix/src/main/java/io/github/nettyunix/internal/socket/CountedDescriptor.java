package io.github.nettyunix.internal.socket;

import io.netty.channel.unix.FileDescriptor;

/** A descriptor that counts the uses of its number, as {@link UseCount} describes. */
public abstract class CountedDescriptor extends FileDescriptor {
    protected CountedDescriptor(int fd) {
        super(fd);
    }

    /**
     * Keeps the number this descriptor's until {@link #endUse}, even if it is closed meanwhile. For system calls that
     * cannot block.
     *
     * @return false if it is closed; then there is nothing to end
     */
    public abstract boolean beginUse();

    /** Ends a use; the number is closed here if the descriptor was closed meanwhile. */
    public abstract void endUse();
}
