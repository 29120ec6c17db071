package io.github.nettyunix;

import io.netty.buffer.ByteBuf;
import io.netty.channel.AddressedEnvelope;

import java.net.SocketAddress;
import java.util.List;

/**
 * A {@link UnixMessage} with the addresses of a datagram.
 */
public final class UnixDatagramPacket extends UnixMessage implements AddressedEnvelope<ByteBuf, UnixSocketAddress> {
    private final UnixSocketAddress recipient;
    private final UnixSocketAddress sender;

    /**
     * Creates an outbound datagram.
     *
     * @param content the bytes, which now belong to the packet
     * @param recipient the recipient's address; {@code null} for the peer that the channel is connected to
     * @param fileDescriptors the descriptors, which now belong to the packet
     * @throws IllegalArgumentException if the recipient's address is of another family
     */
    public UnixDatagramPacket(ByteBuf content, SocketAddress recipient, UnixFileDescriptor... fileDescriptors) {
        super(content, fileDescriptors);
        this.recipient = recipient == null ? null : UnixSocketAddress.from(recipient);
        sender = UnixSocketAddress.unnamed();
    }

    /**
     * Creates an outbound datagram.
     *
     * @param content the bytes, which now belong to the packet
     * @param recipient the recipient's address; {@code null} for the peer that the channel is connected to
     * @param fileDescriptors the descriptors, which now belong to the packet; the list itself is copied
     * @throws IllegalArgumentException if the recipient's address is of another family
     */
    public UnixDatagramPacket(ByteBuf content, SocketAddress recipient, List<UnixFileDescriptor> fileDescriptors) {
        super(content, fileDescriptors);
        this.recipient = recipient == null ? null : UnixSocketAddress.from(recipient);
        sender = UnixSocketAddress.unnamed();
    }

    /**
     * Creates a datagram like those that a channel receives, for tests of handlers.
     *
     * @param content the bytes, which now belong to the packet
     * @param recipient the address that it was sent to; may be {@code null}
     * @param sender the address that it was sent from; {@code null} means {@link UnixSocketAddress#unnamed()}
     * @param fileDescriptors the descriptors, which now belong to the packet; the list itself is copied
     * @param credentials see {@link #credentials()}; may be {@code null}
     * @param pidFd see {@link #pidFd()}, which now belongs to the packet; may be {@code null}
     * @param securityLabel see {@link #securityLabel()}; may be {@code null}
     */
    public UnixDatagramPacket(ByteBuf content, UnixSocketAddress recipient, UnixSocketAddress sender,
                       List<UnixFileDescriptor> fileDescriptors, UnixCredentials credentials, UnixFileDescriptor pidFd,
                       String securityLabel) {
        super(content, fileDescriptors, credentials, pidFd, securityLabel);
        this.recipient = recipient;
        this.sender = sender == null ? UnixSocketAddress.unnamed() : sender;
    }

    private UnixDatagramPacket(ByteBuf content, UnixDatagramPacket of, UnixCredentials credentials) {
        super(content, of, credentials);
        recipient = of.recipient;
        sender = of.sender;
    }

    /**
     * Returns the recipient.
     *
     * @return the address; {@code null} for the peer that the channel is connected to
     */
    @Override
    public UnixSocketAddress recipient() {
        return recipient;
    }

    /**
     * Returns the sender.
     *
     * @return the address; {@link UnixSocketAddress#unnamed()} if the sender has no name; never {@code null}
     */
    @Override
    public UnixSocketAddress sender() {
        return sender;
    }

    @Override
    public UnixDatagramPacket withCredentials(UnixCredentials credentials) {
        return (UnixDatagramPacket) super.withCredentials(credentials);
    }

    @Override
    public UnixDatagramPacket copy() {
        return (UnixDatagramPacket) super.copy();
    }

    @Override
    public UnixDatagramPacket duplicate() {
        return (UnixDatagramPacket) super.duplicate();
    }

    @Override
    public UnixDatagramPacket retainedDuplicate() {
        return (UnixDatagramPacket) super.retainedDuplicate();
    }

    @Override
    public UnixDatagramPacket replace(ByteBuf content) {
        return (UnixDatagramPacket) super.replace(content);
    }

    @Override
    public UnixDatagramPacket retain() {
        super.retain();
        return this;
    }

    @Override
    public UnixDatagramPacket retain(int increment) {
        super.retain(increment);
        return this;
    }

    @Override
    public UnixDatagramPacket touch() {
        super.touch();
        return this;
    }

    @Override
    public UnixDatagramPacket touch(Object hint) {
        super.touch(hint);
        return this;
    }

    @Override
    public String toString() {
        return super.toString() + " (" + sender + " => " + (recipient == null ? "peer" : recipient) + ')';
    }

    @Override
    protected UnixDatagramPacket newView(ByteBuf content, UnixCredentials credentials) {
        return new UnixDatagramPacket(content, this, credentials);
    }

    @Override
    protected UnixDatagramPacket newMessage(ByteBuf content, List<UnixFileDescriptor> fileDescriptors,
            UnixFileDescriptor pidFd) {
        return new UnixDatagramPacket(content, recipient, sender, fileDescriptors, credentials(), pidFd,
                securityLabel());
    }
}
