package io.github.nettyunix.internal.write;

import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.internal.OwnedDescriptors;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.concurrent.FutureListener;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Keeps a duplicate of each sent descriptor open for a while, on platforms whose kernel may lose a descriptor that is
 * closed before the receiver has it. No event reports when the receiver has it.
 */
public final class SentDescriptors {
    private SentDescriptors() {
    }

    /** Must be called when the kernel has accepted a message, before it is released. */
    public static void keep(Channel channel, Object message) {
        if (UnixSocket.KEEP_SENT_MILLIS > 0) {
            keep(channel.eventLoop(), message, UnixSocket.KEEP_SENT_MILLIS);
        }
    }

    static void keep(EventLoop loop, Object message, long millis) {
        List<? extends FileDescriptor> fds = message instanceof UnixMessage unixMessage ? unixMessage.fileDescriptors()
                : message instanceof FileDescriptor fd ? List.of(fd) : List.of();
        for (int i = 0; i < fds.size(); i++) {
            int duplicate = OwnedDescriptors.duplicate(fds.get(i), 0);
            if (duplicate >= 0) {
                closeLater(loop, new FileDescriptor(duplicate), millis);
            }
        }
    }

    private static void closeLater(EventLoop loop, FileDescriptor fd, long millis) {
        try {
            // The listener is called, too, if the loop shuts down before.
            loop.schedule(() -> { }, millis, TimeUnit.MILLISECONDS)
                    .addListener((FutureListener<Object>) future -> fd.close());
        } catch (RejectedExecutionException e) {
            try {
                fd.close();
            } catch (IOException ignored) {
                // It is closed all the same.
            }
        }
    }
}
