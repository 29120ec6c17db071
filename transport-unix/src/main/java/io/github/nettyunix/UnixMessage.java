package io.github.nettyunix;

import io.github.nettyunix.internal.DescriptorReleases;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.AbstractReferenceCounted;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.internal.ObjectUtil;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Bytes, file descriptors and the sender's identity in one message. The message owns its content and its descriptors:
 * releasing the last reference releases both, and writing the message transfers both to the channel. To keep a
 * descriptor of an inbound message, {@link UnixFileDescriptor#retain()} it before the message is released.
 *
 * <p>The message has its own reference count, independent of its content's. {@link #duplicate()},
 * {@link #retainedDuplicate()} and {@link #withCredentials} return views of the same message, which share its
 * descriptors and its count. {@link #replace(ByteBuf)} and {@link #copy()} return independent messages: {@code replace}
 * retains the descriptors, and {@code copy} duplicates them.
 *
 * <p>The reference count is thread-safe; the content is as thread-safe as any {@link ByteBuf}.
 *
 * <p>A protocol can extend this class with what it has decoded from the bytes. A subclass that overrides
 * {@link #newView} and {@link #newMessage} keeps its class and its fields in all of the methods above; otherwise they
 * return plain messages.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, "Ancillary messages"
 */
public class UnixMessage extends AbstractReferenceCounted implements ByteBufHolder {
    /** The maximum number of descriptors in one message (SCM_MAX_FD). */
    public static final int MAX_FILE_DESCRIPTORS = 253;

    private final ByteBuf content;
    private final List<UnixFileDescriptor> fileDescriptors;
    private final UnixCredentials credentials;
    private final UnixFileDescriptor pidFd;
    private final String securityLabel;
    // The message that counts: this one, or the one that this is a view of.
    private final UnixMessage unit;

    /**
     * Creates an outbound message.
     *
     * @param content the bytes, which now belong to the message
     * @param fileDescriptors the descriptors, which now belong to the message; {@code write} checks that they are open
     *        and not too many
     */
    public UnixMessage(ByteBuf content, UnixFileDescriptor... fileDescriptors) {
        this(content, List.of(fileDescriptors));
    }

    /**
     * Creates an outbound message.
     *
     * @param content the bytes, which now belong to the message
     * @param fileDescriptors the descriptors, which now belong to the message; the list itself is copied
     */
    public UnixMessage(ByteBuf content, List<UnixFileDescriptor> fileDescriptors) {
        this(content, fileDescriptors, null, null, null);
    }

    /**
     * Creates a message like those that a channel receives, for tests of handlers.
     *
     * @param content the bytes, which now belong to the message
     * @param fileDescriptors the descriptors, which now belong to the message; the list itself is copied
     * @param credentials see {@link #credentials()}; may be {@code null}
     * @param pidFd see {@link #pidFd()}, which now belongs to the message; may be {@code null}
     * @param securityLabel see {@link #securityLabel()}; may be {@code null}
     */
    public UnixMessage(ByteBuf content, List<UnixFileDescriptor> fileDescriptors, UnixCredentials credentials,
                UnixFileDescriptor pidFd, String securityLabel) {
        this.content = ObjectUtil.checkNotNull(content, "content");
        this.fileDescriptors = List.copyOf(fileDescriptors);
        this.credentials = credentials;
        this.pidFd = pidFd;
        this.securityLabel = securityLabel;
        unit = this;
    }

    /**
     * Creates a view of a message, for {@link #newView}. It shares the descriptors and the reference count of that
     * message.
     *
     * @param content the bytes of the view
     * @param of the message
     * @param credentials see {@link #credentials()}; may be {@code null}
     */
    protected UnixMessage(ByteBuf content, UnixMessage of, UnixCredentials credentials) {
        this.content = ObjectUtil.checkNotNull(content, "content");
        fileDescriptors = of.fileDescriptors;
        this.credentials = credentials;
        pidFd = of.pidFd;
        securityLabel = of.securityLabel;
        unit = of.unit;
    }

    /**
     * Returns the bytes.
     *
     * @return the content, which belongs to the message
     */
    @Override
    public final ByteBuf content() {
        return content;
    }

    /**
     * Returns the descriptors, in the order in which they were sent.
     *
     * @return an unmodifiable list of descriptors that belong to the message
     */
    public final List<UnixFileDescriptor> fileDescriptors() {
        return fileDescriptors;
    }

    /**
     * Returns the credentials of the sender. On an outbound message, these are the credentials to send.
     *
     * @return the credentials, {@code null} if there are none
     */
    public final UnixCredentials credentials() {
        return credentials;
    }

    /**
     * Returns a descriptor of the process that sent the message. Unlike a pid, it always refers to that process. It
     * becomes readable when the process ends. Inbound messages have one with {@link UnixSocketOption#SO_PASSPIDFD}. It
     * belongs to the message and is closed with it; {@link UnixFileDescriptor#retain()} keeps it. It is not one of
     * {@link #fileDescriptors()}, and is never sent.
     *
     * @return the descriptor; {@code null} if the option is off, was off when the message was sent, or, before Linux
     *         6.16, if the process had already ended
     * @see <a href="https://man7.org/linux/man-pages/man2/pidfd_open.2.html">pidfd_open(2)</a>
     */
    public final UnixFileDescriptor pidFd() {
        return pidFd;
    }

    /**
     * Returns the label that the kernel's security module (SELinux, AppArmor, Smack) gives the process that sent the
     * message. Inbound messages have one with {@link UnixSocketOption#SO_PASSSEC}. It is never sent.
     *
     * @return the label; {@code null} if there is none
     */
    public final String securityLabel() {
        return securityLabel;
    }

    /**
     * Returns this message with credentials to send (SCM_CREDENTIALS; Linux). The kernel checks them: an unprivileged
     * process can send only its own, otherwise the write fails with EPERM.
     *
     * @param credentials pid, uid and gid; groups are not sent
     * @return a view of this message
     */
    public UnixMessage withCredentials(UnixCredentials credentials) {
        return newView(content, credentials);
    }

    /**
     * Returns an independent message with a copy of the bytes and duplicates of the descriptors.
     *
     * @return the copy, with one reference
     * @throws UncheckedIOException if a descriptor is closed, or the process has reached its limit of descriptors
     */
    @Override
    public UnixMessage copy() {
        List<UnixFileDescriptor> copies = new ArrayList<>(fileDescriptors.size());
        UnixFileDescriptor pidFdCopy = null;
        ByteBuf contentCopy = null;
        UnixMessage copy = null;
        try {
            for (FileDescriptor fd : fileDescriptors) {
                copies.add(UnixFileDescriptor.dup(fd));
            }
            if (pidFd != null) {
                pidFdCopy = UnixFileDescriptor.dup(pidFd);
            }
            contentCopy = content.copy();
            copy = newMessage(contentCopy, copies, pidFdCopy);
            return copy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            if (copy == null) {
                copies.forEach(UnixFileDescriptor::release);
                ReferenceCountUtil.release(pidFdCopy);
                ReferenceCountUtil.release(contentCopy);
            }
        }
    }

    @Override
    public UnixMessage duplicate() {
        return newView(content.duplicate(), credentials);
    }

    @Override
    public UnixMessage retainedDuplicate() {
        UnixMessage duplicate = duplicate();
        retain();
        return duplicate;
    }

    /**
     * Returns an independent message with other bytes and the same descriptors, credentials, pidfd and label. It has
     * one reference, and has {@linkplain UnixFileDescriptor#retain() retained} the descriptors and the pidfd. This
     * message does not change and must still be released.
     *
     * @param content the bytes, which now belong to the new message
     * @return the new message
     * @throws IllegalReferenceCountException if a descriptor has been released; then the content stays the caller's
     */
    @Override
    public UnixMessage replace(ByteBuf content) {
        int retained = 0;
        boolean pidFdRetained = false;
        try {
            for (; retained < fileDescriptors.size(); retained++) {
                fileDescriptors.get(retained).retain();
            }
            ReferenceCountUtil.retain(pidFd);
            pidFdRetained = true;
            return newMessage(content, fileDescriptors, pidFd);
        } catch (Throwable t) {
            for (int i = 0; i < retained; i++) {
                fileDescriptors.get(i).release();
            }
            if (pidFdRetained) {
                ReferenceCountUtil.release(pidFd);
            }
            throw t;
        }
    }

    @Override
    public int refCnt() {
        return unit == this ? super.refCnt() : unit.refCnt();
    }

    @Override
    public UnixMessage retain() {
        return retain(1);
    }

    @Override
    public UnixMessage retain(int increment) {
        if (unit == this) {
            super.retain(increment);
        } else {
            unit.retain(increment);
        }
        return this;
    }

    @Override
    public boolean release() {
        return unit == this ? super.release() : unit.release();
    }

    @Override
    public boolean release(int decrement) {
        return unit == this ? super.release(decrement) : unit.release(decrement);
    }

    @Override
    public UnixMessage touch() {
        return touch(null);
    }

    @Override
    public UnixMessage touch(Object hint) {
        content.touch(hint);
        for (int i = 0; i < fileDescriptors.size(); i++) {
            fileDescriptors.get(i).touch(hint);
        }
        if (pidFd != null) {
            pidFd.touch(hint);
        }
        return this;
    }

    @Override
    protected final void deallocate() {
        // A part that was released too often already keeps no other one.
        try {
            DescriptorReleases.releaseAll(fileDescriptors);
        } finally {
            try {
                ReferenceCountUtil.release(pidFd);
            } finally {
                content.release();
            }
        }
    }

    @Override
    public String toString() {
        return getClass().getSimpleName() + "(content: " + content + ", fileDescriptors: " + fileDescriptors
                + (credentials == null ? "" : ", " + credentials) + (pidFd == null ? "" : ", pidFd: " + pidFd)
                + (securityLabel == null ? "" : ", securityLabel: " + securityLabel) + ')';
    }

    /**
     * Creates a view of this message, for {@link #duplicate()}, {@link #retainedDuplicate()} and
     * {@link #withCredentials}. Subclasses override it to return an object of their own class.
     *
     * @param content the bytes of the view
     * @param credentials see {@link #credentials()}; may be {@code null}
     * @return the view
     */
    protected UnixMessage newView(ByteBuf content, UnixCredentials credentials) {
        return new UnixMessage(content, this, credentials);
    }

    /**
     * Creates an independent message that has everything else in common with this one, for {@link #replace(ByteBuf)}
     * and {@link #copy()}. Subclasses override it to return an object of their own class.
     *
     * @param content the bytes, which belong to the new message unless this method throws
     * @param fileDescriptors the descriptors, likewise
     * @param pidFd the pidfd, likewise; {@code null} if there is none
     * @return the message, with one reference
     */
    protected UnixMessage newMessage(ByteBuf content, List<UnixFileDescriptor> fileDescriptors,
            UnixFileDescriptor pidFd) {
        return new UnixMessage(content, fileDescriptors, credentials, pidFd, securityLabel);
    }
}
