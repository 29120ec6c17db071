package io.github.nettyunix.handler;

import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.util.List;

/**
 * Turns messages back into what a channel without control data delivers, for the handlers behind it: a
 * {@link UnixMessage} into its {@link ByteBuf}, and a {@link UnixDatagramPacket} into a {@link DomainDatagramPacket}.
 * Codecs need it on channels with {@link UnixSocketOption#SO_PASSCRED}, {@link UnixSocketOption#SO_PASSPIDFD} or
 * {@link UnixSocketOption#SO_PASSSEC}. Add it behind the handlers that use the credentials, the pidfd or the label,
 * which it drops:
 * <pre>{@code
 * channel.pipeline().addLast(new PeerAuthorizationHandler(PeerAuthorizationHandler.sameUser()),
 *         new UnixMessageContentHandler(), new LineBasedFrameDecoder(8192));
 * }</pre>
 *
 * <p>It accepts no descriptors, because the handlers behind it could not see them. A message that brings any is
 * released, which closes them, and a {@link FileDescriptorRefusedException} is raised for it. A stream channel closes
 * then, since bytes are missing; the others continue with the next message. Where descriptors are expected, use
 * {@link FileDescriptorQueueHandler} instead.
 *
 * <p>Other messages pass unchanged. One handler can serve many channels.
 */
@Sharable
public final class UnixMessageContentHandler extends FileDescriptorFilter {
    /** Creates a handler. */
    public UnixMessageContentHandler() {
        // It has no state.
    }

    @Override
    IOException refusal(List<? extends FileDescriptor> fds, FileDescriptor pidFd) {
        return fds.isEmpty() ? null : new FileDescriptorRefusedException(
                "no handler takes the descriptors of a message that came in; their number is " + fds.size());
    }

    @Override
    Object accepted(Object message) {
        if (!(message instanceof UnixMessage unixMessage)) {
            return message;
        }
        try {
            ByteBuf content = unixMessage.content().retain();
            return message instanceof UnixDatagramPacket packet
                    ? new DomainDatagramPacket(content, packet.recipient(), packet.sender()) : content;
        } finally {
            unixMessage.release();
        }
    }
}
