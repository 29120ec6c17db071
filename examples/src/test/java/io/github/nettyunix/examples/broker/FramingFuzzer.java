package io.github.nettyunix.examples.broker;

import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.examples.testing.Pieces;
import io.github.nettyunix.handler.FileDescriptorQueueHandler;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandler;

/** The messages of the broker on a stream. */
public final class FramingFuzzer {
    private FramingFuzzer() {
    }

    public static void fuzzerTestOneInput(byte[] input) {
        Pieces.check(input, FramingFuzzer::handlers, message -> ByteBufUtil.hexDump(((UnixMessage) message).content()));
    }

    private static ChannelHandler[] handlers() {
        FileDescriptorQueueHandler arrived = new FileDescriptorQueueHandler();
        return new ChannelHandler[] {arrived, new Framing.Decoder(arrived)};
    }
}
