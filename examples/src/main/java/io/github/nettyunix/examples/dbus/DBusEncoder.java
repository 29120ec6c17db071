package io.github.nettyunix.examples.dbus;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.MessageToMessageEncoder;

import java.util.List;

/** Encodes a message: its header, then its body. The descriptors are sent with the first byte. */
final class DBusEncoder extends MessageToMessageEncoder<DBusMessage> {
    private static final int VERSION = 1;

    @Override
    protected void encode(ChannelHandlerContext ctx, DBusMessage message, List<Object> out) {
        ByteBuf header = ctx.alloc().buffer();
        header.writeByte('l').writeByte(message.type().ordinal()).writeByte(message.flags()).writeByte(VERSION);
        header.writeIntLE(message.content().readableBytes()).writeIntLE(message.serial());
        int start = header.writeZero(4).writerIndex();
        message.fields().forEach((field, value) -> {
            Values.pad(header, 8);
            header.writeByte(field.code());
            Values.write(header, 'g', String.valueOf(field.type));
            Values.write(header, field.type, value);
        });
        header.setIntLE(start - 4, header.writerIndex() - start);
        Values.pad(header, 8);
        out.add(message.replace(Unpooled.wrappedBuffer(header, message.content().retainedSlice())));
    }
}
