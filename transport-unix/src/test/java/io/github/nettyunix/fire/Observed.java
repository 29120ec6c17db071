package io.github.nettyunix.fire;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelFuture;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/** What was seen of one connection, or of one sender of datagrams, in this process. */
final class Observed {
    /**
     * A message that was delivered, or an exception. {@code bytes} are kept of streams only; {@code descriptors} and
     * {@code credentials} are null of what arrived without control data.
     */
    record Event(int length, long crc, byte[] bytes, List<String> descriptors, UnixCredentials credentials,
            boolean hasPidFd, Throwable cause) {
        @Override
        public String toString() {
            return cause != null ? cause.toString()
                    : "a message of " + length + " bytes" + (descriptors == null ? "" : ", descriptors " + descriptors)
                            + (credentials == null ? "" : ", " + credentials);
        }
    }

    /** A message that a handler has written. */
    record Written(int offset, int length, List<String> descriptors, ChannelFuture future) {
    }

    final List<Event> events = new ArrayList<>();
    final List<Written> written = new ArrayList<>();
    /** Set before a handler closes the channel, or shuts its input down, which may lose what the peer sent. */
    boolean closedHere;
    /** Set before a handler shuts the output down. */
    boolean shutDownHere;
    long outputFailedNanos;
    /** Whether something was still not written two seconds after the peer's last byte. */
    boolean gaveUpWriting;

    /** @param message null if the content came without control data */
    synchronized void received(ByteBuf content, boolean keepBytes, UnixMessage message) {
        byte[] bytes = keepBytes ? ByteBufUtil.getBytes(content) : null;
        int length = content.readableBytes();
        if (message == null) {
            events.add(new Event(length, crc(content), bytes, null, null, false, null));
        } else {
            List<String> links = message.fileDescriptors().stream().map(Observed::link).toList();
            events.add(new Event(length, crc(content), bytes, links, message.credentials(), message.pidFd() != null,
                    null));
        }
    }

    /** A descriptor without a message. */
    synchronized void received(FileDescriptor fd) {
        events.add(new Event(0, 0, null, List.of(link(fd)), null, false, null));
    }

    synchronized void failed(Throwable cause) {
        events.add(new Event(0, 0, null, null, null, false, cause));
    }

    private static long crc(ByteBuf content) {
        CRC32 crc = new CRC32();
        for (var buffer : content.nioBuffers()) {
            crc.update(buffer);
        }
        return crc.getValue();
    }

    /** What the descriptor refers to, in the words that the peer uses as well. */
    static String link(FileDescriptor fd) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd.intValue())).toString().replace(' ', '~');
        } catch (IOException e) {
            return e.toString();
        }
    }
}
