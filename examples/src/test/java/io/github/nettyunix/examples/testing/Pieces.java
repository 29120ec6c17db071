package io.github.nettyunix.examples.testing;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.util.ReferenceCountUtil;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

/** For fuzzers of decoders: a decoder must not notice where a stream is divided. */
public final class Pieces {
    private Pieces() {
    }

    /**
     * Checks that a decoder makes the same messages of the bytes whether they arrive at once or one by one, throws
     * nothing but a DecoderException, and keeps no buffer.
     *
     * @param text what a message says
     */
    public static void check(byte[] bytes, Supplier<ChannelHandler[]> handlers, Function<Object, String> text) {
        if (bytes.length > 0) {
            assertEquals(decode(handlers.get(), text, bytes, bytes.length), decode(handlers.get(), text, bytes, 1));
        }
    }

    /** Returns the texts of the messages, up to the first failure. */
    private static List<String> decode(ChannelHandler[] handlers, Function<Object, String> text, byte[] bytes,
                                       int size) {
        List<String> messages = new ArrayList<>();
        List<ByteBuf> pieces = new ArrayList<>();
        for (int start = 0; start < bytes.length; start += size) {
            pieces.add(Unpooled.buffer().writeBytes(bytes, start, size));
        }
        EmbeddedChannel channel = new EmbeddedChannel(handlers);
        boolean failed = false;
        for (ByteBuf piece : pieces) {
            if (failed) {
                piece.release();
                continue;
            }
            Throwable failure = null;
            try {
                channel.writeInbound(piece);
            } catch (Throwable t) {
                failure = t;
            }
            for (Object message; (message = channel.readInbound()) != null;) {
                messages.add(text.apply(message));
                ReferenceCountUtil.release(message);
            }
            if (failure != null) {
                assertInstanceOf(DecoderException.class, failure);
                messages.add(failure.getClass().getSimpleName());
                failed = true;
            }
        }
        int decoded = messages.size();
        try {
            channel.finishAndReleaseAll();
        } catch (DecoderException e) {
            // What remains may not be a message.
        }
        pieces.forEach(piece -> assertEquals(0, piece.refCnt(), "a piece is not released"));
        return messages.subList(0, decoded);
    }
}
