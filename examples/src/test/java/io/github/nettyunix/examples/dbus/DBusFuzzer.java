package io.github.nettyunix.examples.dbus;

import io.github.nettyunix.examples.testing.Pieces;
import io.github.nettyunix.handler.FileDescriptorQueueHandler;
import io.netty.channel.ChannelHandler;
import io.netty.handler.codec.DecoderException;

/** Messages of D-Bus, and the values in their bodies. */
public final class DBusFuzzer {
    private DBusFuzzer() {
    }

    public static void fuzzerTestOneInput(byte[] input) {
        Pieces.check(input, DBusFuzzer::handlers, DBusFuzzer::text);
    }

    private static ChannelHandler[] handlers() {
        FileDescriptorQueueHandler arrived = new FileDescriptorQueueHandler();
        return new ChannelHandler[] {arrived, new DBusDecoder(arrived)};
    }

    private static String text(Object decoded) {
        DBusMessage message = (DBusMessage) decoded;
        String body;
        try {
            body = message.body().toString();
        } catch (DecoderException | IndexOutOfBoundsException e) {
            // The signature and the bytes do not fit.
            body = e.getClass().getSimpleName();
        }
        return message.type() + " " + message.flags() + " " + message.serial() + " " + message.fields() + " "
                + message.content().readableBytes() + " " + body;
    }
}
