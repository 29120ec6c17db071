package io.github.nettyunix.internal.write;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.endpoint.SocketName;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.Capabilities;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.SendBatch;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.AddressedEnvelope;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannelUtil;
import io.netty.util.internal.StringUtil;

import java.io.IOException;
import java.net.SocketAddress;
import java.util.List;

/**
 * Uniform access to everything that may be written: a message has content and optionally descriptors, credentials and a
 * recipient.
 */
public final class OutboundMessages {
    private OutboundMessages() {
    }

    /**
     * Refuses what cannot be sent, and gives the rest a form in which system calls can send it. The caller must keep
     * the recipient of an envelope.
     *
     * <p>A descriptor that is written without a message remains what it is. Netty's class is not counted: a
     * {@link UnixMessage} could own only a duplicate, which would cost a system call, and fail at the limit of
     * descriptors.
     *
     * @param core the channel whose pipeline the message was written to
     * @return a buffer, a {@link UnixMessage} or a bare descriptor, which will be released in place of the message
     */
    static Object filter(ChannelCore core, Object message) throws IOException {
        if (message instanceof ByteBuf buffer) {
            ByteBuf direct = toDirect(core, buffer);
            // A cancelled write leaves this very buffer in the queue, so an empty record must look different.
            return direct == Unpooled.EMPTY_BUFFER ? new UnixMessage(direct) : direct;
        }
        if (message instanceof FileDescriptor fd) {
            checkOpen(core, fd);
            return message;
        }
        if (message instanceof AddressedEnvelope<?, ?> envelope) {
            if (core.type() == SocketType.DATAGRAM && envelope.content() instanceof ByteBuf content) {
                checkRecipient(core, (SocketAddress) envelope.recipient());
                if (message instanceof UnixDatagramPacket packet) {
                    return filterMessage(core, packet);
                }
                ByteBuf direct = retainDirect(core, content);
                envelope.release();
                return direct;
            }
        } else if (message instanceof UnixMessage unixMessage) {
            return filterMessage(core, unixMessage);
        }
        throw newUnsupported(core, message);
    }

    /** Refuses what cannot be sent; for senders that copy the bytes of messages, which may be of any kind. */
    public static Object filterCopied(ChannelCore core, Object message) throws IOException {
        if (message instanceof ByteBuf) {
            return message == Unpooled.EMPTY_BUFFER ? new UnixMessage(Unpooled.EMPTY_BUFFER) : message;
        }
        if (message instanceof FileDescriptor fd) {
            checkOpen(core, fd);
        } else if (message instanceof UnixMessage unixMessage) {
            checkDescriptors(core, unixMessage);
        } else {
            throw newUnsupported(core, message);
        }
        return message;
    }

    private static UnsupportedOperationException newUnsupported(ChannelCore core, Object message) {
        return new UnsupportedOperationException("write " + core.type() + ": unsupported message type: "
                + StringUtil.simpleClassName(message) + " (expected: ByteBuf, UnixMessage, FileDescriptor"
                + switch (core.type()) {
                    case STREAM -> ", FileRegion)";
                    case SEQPACKET -> ")";
                    case DATAGRAM -> ", UnixDatagramPacket, DomainDatagramPacket, "
                            + "AddressedEnvelope<ByteBuf, SocketAddress>)";
                });
    }

    private static void checkDescriptors(ChannelCore core, UnixMessage message) throws IOException {
        List<UnixFileDescriptor> fds = message.fileDescriptors();
        if (fds.size() > UnixMessage.MAX_FILE_DESCRIPTORS) {
            throw core.newException(Operation.WRITE, Errno.EINVAL,
                    fds.size() + " descriptors in one message, the most are " + UnixMessage.MAX_FILE_DESCRIPTORS);
        }
        for (int i = 0; i < fds.size(); i++) {
            checkOpen(core, fds.get(i));
        }
    }

    private static Object filterMessage(ChannelCore core, UnixMessage message) throws IOException {
        checkDescriptors(core, message);
        ByteBuf content = message.content();
        if (core.type() == SocketType.STREAM) {
            List<UnixFileDescriptor> fds = message.fileDescriptors();
            if (fds.isEmpty() && message.credentials() == null) {
                ByteBuf direct = retainDirect(core, content);
                message.release();
                return direct;
            }
            if (!content.isReadable()) {
                throw core.newException(Operation.WRITE, Errno.EINVAL,
                        "on a stream descriptors and credentials travel with bytes, and the message has none");
            }
        }
        if (!isCopyNeeded(content)) {
            return message;
        }
        ByteBuf direct = copyDirect(core, content);
        UnixMessage replaced;
        try {
            replaced = message.replace(direct);
        } catch (Throwable t) {
            direct.release();
            throw t;
        }
        message.release();
        return replaced;
    }

    private static boolean isCopyNeeded(ByteBuf buffer) {
        return UnixChannelUtil.isBufferCopyNeededForWrite(buffer);
    }

    /** Returns a buffer that system calls can read from, with a reference of its own. */
    private static ByteBuf retainDirect(ChannelCore core, ByteBuf buffer) {
        return isCopyNeeded(buffer) ? copyDirect(core, buffer) : buffer.retain();
    }

    /** Returns a buffer that system calls can read from. If it is not the given one, that one is released. */
    static ByteBuf toDirect(ChannelCore core, ByteBuf buffer) {
        if (!isCopyNeeded(buffer)) {
            return buffer;
        }
        ByteBuf direct = copyDirect(core, buffer);
        buffer.release();
        return direct;
    }

    /**
     * Returns a direct copy of the readable bytes. If this fails, nothing has changed: the caller releases what was
     * written.
     */
    private static ByteBuf copyDirect(ChannelCore core, ByteBuf buffer) {
        int length = buffer.readableBytes();
        ByteBuf direct = core.channel().alloc().directBuffer(length);
        try {
            return direct.writeBytes(buffer, buffer.readerIndex(), length);
        } catch (Throwable t) {
            direct.release();
            throw t;
        }
    }

    private static void checkOpen(ChannelCore core, FileDescriptor fd) throws IOException {
        if (!fd.isOpen()) {
            throw core.newException(Operation.WRITE, Errno.EBADF, "the descriptor is closed: " + fd);
        }
    }

    private static void checkRecipient(ChannelCore core, SocketAddress recipient) throws IOException {
        if (recipient != null) {
            UnixSocketAddress address = SocketName.toUnixAddress(Operation.WRITE, core.type(), recipient);
            if (address.isUnnamed()) {
                throw SocketErrors.newException(Operation.WRITE, core.type(), address, Errno.EINVAL,
                        "the recipient has no name");
            }
            if (!SocketName.fits(address)) {
                throw SocketName.tooLong(Operation.WRITE, core.type(), address,
                        "a recipient's path must fit into sun_path");
            }
        }
    }

    /** Returns the recipient of a message; {@code null} for the peer. */
    static SocketAddress recipient(Object message) {
        // The most frequent first, and by its class: to find that it lacks an interface costs much more.
        return !(message instanceof ByteBuf) && message instanceof AddressedEnvelope<?, ?> envelope
                ? (SocketAddress) envelope.recipient() : null;
    }

    /** Returns the number of bytes of a message. */
    static int length(Object message) {
        ByteBuf content = content(message);
        return content == null ? 0 : content.readableBytes();
    }

    /** Returns the hint of the error for a record that is too long. */
    static String sizeLimit(ChannelCore core, Object message) {
        return "the record has " + length(message) + " bytes, SO_SNDBUF allows "
                + (core.settings().sendBufferSize() - Capabilities.SEND_BUFFER_OVERHEAD);
    }

    /** Returns the bytes of a message; {@code null} for a descriptor without any. */
    private static ByteBuf content(Object message) {
        return message instanceof ByteBuf buffer ? buffer
                : message instanceof UnixMessage unixMessage ? unixMessage.content() : null;
    }

    /** Returns the bytes of a message, empty for a descriptor without any. */
    public static ByteBuf contentOrEmpty(Object message) {
        ByteBuf content = content(message);
        return content == null ? Unpooled.EMPTY_BUFFER : content;
    }

    /** Whether a message has more than bytes. */
    public static boolean hasControlData(Object message) {
        return message instanceof FileDescriptor || message instanceof UnixMessage unixMessage
                && (unixMessage.credentials() != null || !unixMessage.fileDescriptors().isEmpty());
    }

    /** Returns how many descriptors a message has. */
    public static int descriptorCount(Object message) {
        return message instanceof FileDescriptor ? 1
                : message instanceof UnixMessage unixMessage ? unixMessage.fileDescriptors().size() : 0;
    }

    /** Removes what cancelled writes have left at the head of the queue; it must not be sent. */
    public static void removeCancelled(ChannelOutboundBuffer in) {
        while (in.current() == Unpooled.EMPTY_BUFFER) {
            in.remove();
        }
    }

    /**
     * Adds a message to a batch, and begins to use its descriptors: they were open when it was written and may have
     * been closed since, and their numbers may belong to other files.
     *
     * @param uses must be ended when the batch has been sent
     * @param name the recipient's; {@code null} for the peer
     * @param bare the bytes to send with a descriptor that is written without a message
     * @return false, and nothing has changed, if there is no room or a descriptor is closed
     */
    public static boolean add(SendBatch batch, DescriptorUses uses, Object message, byte[] name, ByteBuf bare) {
        return add(batch, uses, message, content(message), name, bare);
    }

    /** Adds what a message has besides bytes, with these bytes, as {@link #add} does. */
    public static boolean addControlData(SendBatch batch, DescriptorUses uses, Object message, ByteBuf content) {
        return add(batch, uses, message, content, null, content);
    }

    private static boolean add(SendBatch batch, DescriptorUses uses, Object message, ByteBuf content, byte[] name,
            ByteBuf bare) {
        if (message instanceof UnixMessage unixMessage) {
            List<UnixFileDescriptor> fds = unixMessage.fileDescriptors();
            int before = uses.count();
            if (!uses.begin(fds)) {
                return false;
            }
            if (!batch.add(content, name)) {
                uses.end(before);
                return false;
            }
            for (int i = 0; i < fds.size(); i++) {
                batch.addDescriptor(fds.get(i).intValue());
            }
            UnixCredentials credentials = unixMessage.credentials();
            if (credentials != null) {
                batch.setCredentials(credentials.pid(), credentials.uid(), credentials.gid());
            }
            return true;
        }
        if (!(message instanceof FileDescriptor)) {
            return batch.add(content, name);
        }
        FileDescriptor fd = (FileDescriptor) message;
        // Only a UnixFileDescriptor can be kept open by others than its owner.
        int before = uses.count();
        if (fd instanceof UnixFileDescriptor ours ? !uses.begin(ours) : !fd.isOpen()) {
            return false;
        }
        if (!batch.add(bare, name)) {
            uses.end(before);
            return false;
        }
        batch.addDescriptor(fd.intValue());
        return true;
    }

    /** Creates the exception for a message that cannot be added to a batch although there is room. */
    public static IOException newClosedDescriptor(ChannelCore core, Object message) {
        return core.newException(Operation.WRITE, Errno.EBADF,
                "a descriptor was closed before it was sent: " + message);
    }
}
