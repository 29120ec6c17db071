package io.github.nettyunix.internal.read;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.OwnedDescriptors;
import io.github.nettyunix.internal.socket.DescriptorCloser;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.ReceivedFileDescriptor;
import io.netty.buffer.ByteBuf;
import io.netty.channel.unix.FileDescriptor;

import java.util.Arrays;
import java.util.List;

/**
 * Creates messages from received data. The batch holds a descriptor until it has an owner. If a method fails, the
 * caller must close the descriptors without an owner, with {@link #closeDescriptors}.
 */
public final class InboundMessages {
    private InboundMessages() {
    }

    /** Creates a message of a stream or a seqpacket socket. If this fails, the content remains the caller's. */
    public static UnixMessage newMessage(ByteBuf content, ReceiveBatch batch, int index) {
        List<UnixFileDescriptor> fds = descriptors(batch, index);
        UnixFileDescriptor pidFd = null;
        try {
            pidFd = pidFd(batch, index);
            return new UnixMessage(content, fds, credentials(batch, index), pidFd, batch.label(index));
        } catch (Throwable t) {
            release(fds, pidFd);
            throw t;
        }
    }

    /** Creates a datagram. If this fails, the content remains the caller's. */
    public static UnixDatagramPacket newPacket(ByteBuf content, UnixSocketAddress recipient, UnixSocketAddress sender,
                                        ReceiveBatch batch, int index) {
        List<UnixFileDescriptor> fds = descriptors(batch, index);
        UnixFileDescriptor pidFd = null;
        try {
            pidFd = pidFd(batch, index);
            return new UnixDatagramPacket(content, recipient, sender, fds, credentials(batch, index), pidFd,
                    batch.label(index));
        } catch (Throwable t) {
            release(fds, pidFd);
            throw t;
        }
    }

    /** Returns the descriptors, each of which now has an owner. */
    private static List<UnixFileDescriptor> descriptors(ReceiveBatch batch, int index) {
        int count = batch.descriptorCount(index);
        if (count == 0) {
            return List.of();
        }
        UnixFileDescriptor[] fds = new UnixFileDescriptor[count];
        try {
            for (int i = 0; i < count; i++) {
                fds[i] = OwnedDescriptors.adopt(batch.descriptor(index, i), !batch.isTrusted());
                batch.hasOwner(index, i);
            }
            return List.of(fds);
        } catch (Throwable t) {
            release(Arrays.asList(fds), null);
            throw t;
        }
    }

    private static void release(List<UnixFileDescriptor> fds, UnixFileDescriptor pidFd) {
        for (UnixFileDescriptor fd : fds) {
            if (fd != null) {
                fd.release();
            }
        }
        if (pidFd != null) {
            pidFd.release();
        }
    }

    /** Returns the descriptors as Netty's own channels deliver them; all are closed if memory is exhausted. */
    static FileDescriptor[] plainDescriptors(ReceiveBatch batch, int index) {
        try {
            FileDescriptor[] fds = new FileDescriptor[batch.descriptorCount(index)];
            Arrays.setAll(fds, i -> new ReceivedFileDescriptor(batch.descriptor(index, i)));
            return fds;
        } catch (Throwable t) {
            closeDescriptors(batch, index);
            throw t;
        }
    }

    /** Closes the descriptors of a message that have no owner yet. */
    public static void closeDescriptors(ReceiveBatch batch, int index) {
        for (int i = 0; i < batch.descriptorCount(index); i++) {
            int fd = batch.descriptor(index, i);
            if (fd >= 0) {
                batch.hasOwner(index, i);
                DescriptorCloser.close(fd);
            }
        }
        int pidFd = batch.pidFd(index);
        if (pidFd >= 0) {
            batch.pidFdHasOwner(index);
            DescriptorCloser.close(pidFd);
        }
    }

    /** Returns the sender's pidfd, which now has an owner; {@code null} if there is none. */
    private static UnixFileDescriptor pidFd(ReceiveBatch batch, int index) {
        int fd = batch.pidFd(index);
        if (fd < 0) {
            return null;
        }
        UnixFileDescriptor owner = UnixFileDescriptor.adopt(fd);
        batch.pidFdHasOwner(index);
        return owner;
    }

    /** Returns the sender's credentials; {@code null} if there are none. */
    public static UnixCredentials credentials(ReceiveBatch batch, int index) {
        return batch.hasCredentials(index)
                ? new UnixCredentials(batch.pid(index), batch.uid(index), batch.gid(index)) : null;
    }
}
