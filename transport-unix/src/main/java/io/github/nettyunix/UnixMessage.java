package io.github.nettyunix;

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
 * Bytes, file descriptors and the sender's identity that travel together. It owns its content and its descriptors: the
 * last {@link #release()} releases both, writing it gives both away. To keep a descriptor of an inbound message,
 * {@link UnixFileDescriptor#retain()} it before the message is released.
 *
 * <p>It counts its own references, whatever the content does. {@link #duplicate()}, {@link #retainedDuplicate()} and
 * {@link #withCredentials} return another view of the same unit, with the same descriptors and the same count.
 * {@link #replace(ByteBuf)} and {@link #copy()} return a unit of its own: the former has retained the descriptors, the
 * latter has duplicates of them.
 *
 * <p>The reference count is thread-safe, the content is what a {@link ByteBuf} is.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, "Ancillary messages"
 */
public class UnixMessage extends AbstractReferenceCounted implements ByteBufHolder {
    /** The most descriptors that one message can carry (SCM_MAX_FD). */
    public static final int MAX_FILE_DESCRIPTORS = 253;

    private final ByteBuf content;
    private final List<UnixFileDescriptor> fileDescriptors;
    private final UnixCredentials credentials;
    private final UnixFileDescriptor pidFd;
    private final String securityLabel;
    // The message that counts: this one, or the one that this is a view of.
    private final UnixMessage unit;

    /**
     * A message.
     *
     * @param content the bytes, which now belong to the message
     * @param fileDescriptors the descriptors, which now belong to the message; whether they are too many, or one is
     *        closed, is found when it is written
     */
    public UnixMessage(ByteBuf content, UnixFileDescriptor... fileDescriptors) {
        this(content, List.of(fileDescriptors));
    }

    /**
     * A message.
     *
     * @param content the bytes, which now belong to the message
     * @param fileDescriptors the descriptors, which now belong to the message; the list itself is copied
     */
    public UnixMessage(ByteBuf content, List<UnixFileDescriptor> fileDescriptors) {
        this(content, fileDescriptors, null, null, null);
    }

    /**
     * A message as one that has arrived, for tests of handlers.
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

    /** A view. */
    UnixMessage(ByteBuf content, UnixMessage of, UnixCredentials credentials) {
        this.content = ObjectUtil.checkNotNull(content, "content");
        fileDescriptors = of.fileDescriptors;
        this.credentials = credentials;
        pidFd = of.pidFd;
        securityLabel = of.securityLabel;
        unit = of.unit;
    }

    /**
     * The bytes.
     *
     * @return the content, which belongs to the message
     */
    @Override
    public final ByteBuf content() {
        return content;
    }

    /**
     * The descriptors, in the order in which they were sent.
     *
     * @return an unmodifiable list of descriptors that belong to the message
     */
    public final List<UnixFileDescriptor> fileDescriptors() {
        return fileDescriptors;
    }

    /**
     * Who sent the message, or who is to be shown as its sender.
     *
     * @return the credentials, {@code null} if there are none
     */
    public final UnixCredentials credentials() {
        return credentials;
    }

    /**
     * A descriptor of the process that sent the message, which distinguishes it from any later process with the same
     * pid: it becomes readable when the process ends. It arrives with {@link UnixSocketOption#SO_PASSPIDFD}, belongs to
     * the message and is closed with it; {@link UnixFileDescriptor#retain()} keeps it. It is not one of
     * {@link #fileDescriptors()}, and not sent.
     *
     * @return the descriptor; {@code null} if there is none, for what was sent before the option was set, and before
     *         Linux 6.16 if the process had ended already
     * @see <a href="https://man7.org/linux/man-pages/man2/pidfd_open.2.html">pidfd_open(2)</a>
     */
    public final UnixFileDescriptor pidFd() {
        return pidFd;
    }

    /**
     * What the kernel's security module (SELinux, AppArmor, Smack) calls the process that sent the message. It arrives
     * with {@link UnixSocketOption#SO_PASSSEC}, and is not sent.
     *
     * @return the label; {@code null} if there is none
     */
    public final String securityLabel() {
        return securityLabel;
    }

    /**
     * The same message with credentials to be sent along (SCM_CREDENTIALS; Linux). The kernel checks them: without
     * privileges they must be the process's own, or the write fails with EPERM.
     *
     * @param credentials pid, uid and gid; groups are not sent
     * @return a view of this message
     */
    public UnixMessage withCredentials(UnixCredentials credentials) {
        return newView(content, credentials);
    }

    /**
     * An independent message with a copy of the bytes and duplicates of the descriptors.
     *
     * @return the copy, with one reference
     * @throws UncheckedIOException if a descriptor is closed, or this process may have no more
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
     * A message with other bytes and the same descriptors, credentials, pidfd and label. It is a unit of its own: it
     * has one reference, and has {@linkplain UnixFileDescriptor#retain() retained} the descriptors and the pidfd. This
     * message stays as it is, and is still to be released.
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

    /** A view of the same class. */
    UnixMessage newView(ByteBuf content, UnixCredentials credentials) {
        return new UnixMessage(content, this, credentials);
    }

    /** A message of the same class that has everything else in common. */
    UnixMessage newMessage(ByteBuf content, List<UnixFileDescriptor> fileDescriptors, UnixFileDescriptor pidFd) {
        return new UnixMessage(content, fileDescriptors, credentials, pidFd, securityLabel);
    }
}
