package io.github.nettyunix.fire;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;

/** What was seen of one connection, or of one sender of datagrams, in this process. */
final class Observed {
    /** An event that is no message. */
    private static final byte[] NO_BYTES = {};
    private static final int O_CLOEXEC = 02000000;

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

    /**
     * A message that a handler has written.
     *
     * @param refused whether it must not be sent, because it cannot be
     */
    record Written(int offset, int length, List<String> descriptors, boolean refused, ChannelFuture future) {
        /** Whether it left no trace, unlike one that may have been sent in part. */
        boolean isSkipped() {
            return refused || future.isCancelled();
        }
    }

    final List<Event> events = new ArrayList<>();
    final List<Written> written = new ArrayList<>();
    /** The channels of the connection: more than one if they have handed its socket over. */
    final Set<Channel> channels = new HashSet<>();
    /** Those that have given their socket to another channel. */
    final Set<Channel> left = new HashSet<>();
    /** The name of the peer, if it is connected to. */
    private byte[] peer;
    /** Of the channel itself. */
    private String link;
    /** Set before a handler closes the channel, or shuts its input down, which may lose what the peer sent. */
    boolean closedHere;
    /** Set before a handler shuts the output down. */
    boolean shutDownHere;

    /**
     * @param message null if the content came without control data
     * @param queued the links of the descriptors that were queued for it, or null
     */
    synchronized void received(ByteBuf content, boolean keepBytes, UnixMessage message, List<String> queued) {
        byte[] bytes = keepBytes ? ByteBufUtil.getBytes(content) : NO_BYTES;
        int length = content.readableBytes();
        if (message == null) {
            events.add(new Event(length, crc(content), bytes, queued, null, false, null));
        } else {
            List<String> links = message.fileDescriptors().stream().map(Observed::link).toList();
            events.add(new Event(length, crc(content), bytes, links, message.credentials(), message.pidFd() != null,
                    null));
        }
    }

    /** A descriptor without a message. */
    synchronized void received(FileDescriptor fd) {
        events.add(new Event(0, 0, NO_BYTES, List.of(link(fd)), null, false, null));
    }

    /** The channel has been accepted, or has connected. */
    synchronized void connected(UnixChannel channel) {
        peer = ((UnixSocketAddress) channel.remoteAddress()).bytes();
        String of = link(channel.fd());
        link = channel.isOpen() ? of : link;
    }

    /** What was seen up to now. To judge it takes long, and event loops must not wait meanwhile. */
    synchronized Observed copy() {
        Observed copy = new Observed();
        copy.events.addAll(events);
        copy.written.addAll(written);
        copy.channels.addAll(channels);
        copy.left.addAll(left);
        copy.peer = peer;
        copy.link = link;
        copy.closedHere = closedHere;
        copy.shutDownHere = shutDownHere;
        return copy;
    }

    /** Whether the peer's name is not what the peer says, or the channel's own descriptor is not as it must be. */
    boolean isStrange(String name) {
        return peer != null && (!ByteBufUtil.hexDump(peer).equals(name)
                || link != null && !link.matches("socket:\\[\\d+]"));
    }

    /** Who is at the other end, and of what. */
    String connection() {
        return ByteBufUtil.hexDump(peer) + " at " + link;
    }

    /** How many messages and exceptions there were. */
    synchronized int count() {
        return events.size();
    }

    synchronized void failed(Throwable cause) {
        events.add(new Event(0, 0, NO_BYTES, null, null, false, cause));
    }

    private static long crc(ByteBuf content) {
        CRC32 crc = new CRC32();
        for (var buffer : content.nioBuffers()) {
            crc.update(buffer);
        }
        return crc.getValue();
    }

    /** What the descriptor refers to, in the words that the peer uses as well, if it is close-on-exec. */
    static String link(FileDescriptor fd) {
        String link;
        try {
            link = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd.intValue())).toString().replace(' ', '~');
        } catch (IOException e) {
            return e.toString();
        }
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd.intValue()))) {
                if (line.startsWith("flags:") && (Integer.parseInt(line.substring(6).trim(), 8) & O_CLOEXEC) == 0) {
                    return link + ", which is not close-on-exec";
                }
            }
        } catch (IOException e) {
            // This process is at its limit of descriptors.
        }
        return link;
    }
}
