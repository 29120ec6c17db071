package io.github.nettyunix;

import io.github.nettyunix.socket.ReceiveBatch;
import io.netty.buffer.ByteBuf;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** Makes messages of what was received. */
final class InboundMessages {
    private InboundMessages() {
    }

    /** A message of a stream or of a seqpacket socket. */
    static UnixMessage newMessage(ByteBuf content, ReceiveBatch batch, int index) {
        return new UnixMessage(content, descriptors(batch, index), credentials(batch, index), pidFd(batch, index),
                batch.label(index));
    }

    /** The descriptors, each with an owner now. */
    static List<UnixFileDescriptor> descriptors(ReceiveBatch batch, int index) {
        int count = batch.descriptorCount(index);
        if (count == 0) {
            return List.of();
        }
        UnixFileDescriptor[] fds = new UnixFileDescriptor[count];
        for (int i = 0; i < count; i++) {
            fds[i] = UnixFileDescriptor.adopt(batch.descriptor(index, i));
        }
        return List.of(fds);
    }

    /** The descriptors as Netty's own channels deliver them. */
    static FileDescriptor[] plainDescriptors(ReceiveBatch batch, int index) {
        FileDescriptor[] fds = new FileDescriptor[batch.descriptorCount(index)];
        Arrays.setAll(fds, i -> new FileDescriptor(batch.descriptor(index, i)));
        return fds;
    }

    /** Closes the descriptors of messages that cannot be handed on. */
    static void closeDescriptors(ReceiveBatch batch, int from, int to) {
        for (int index = from; index < to; index++) {
            for (FileDescriptor fd : plainDescriptors(batch, index)) {
                try {
                    fd.close();
                } catch (IOException ignored) {
                    // It is closed all the same.
                }
            }
            if (batch.pidFd(index) >= 0) {
                pidFd(batch, index).release();
            }
        }
    }

    /** The sender's pidfd, which has an owner now; {@code null} if there is none. */
    static UnixFileDescriptor pidFd(ReceiveBatch batch, int index) {
        int fd = batch.pidFd(index);
        return fd < 0 ? null : UnixFileDescriptor.adopt(fd);
    }

    static UnixCredentials credentials(ReceiveBatch batch, int index) {
        return batch.hasCredentials(index)
                ? new UnixCredentials(batch.pid(index), batch.uid(index), batch.gid(index)) : null;
    }
}
