package io.github.nettyunix.examples.dbus;

import io.github.nettyunix.UnixFileDescriptor;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;

/** {@code Take(h) -> (h, t)}: accepts an open file, and returns a sealed copy in memory and its size. */
final class SnapshotService implements Service {
    static final String PATH = "/io/github/nettyunix/Snapshot";
    static final String INTERFACE = "io.github.nettyunix.Snapshot";

    private static final int MAX_SIZE = 16 << 20;
    private static final int CHUNK = 64 << 10;

    private static final String INTROSPECTION = """
            <!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
             "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
            <node>
              <interface name="%s">
                <method name="Take">
                  <arg name="file" type="h" direction="in"/>
                  <arg name="snapshot" type="h" direction="out"/>
                  <arg name="size" type="t" direction="out"/>
                </method>
              </interface>
              <interface name="org.freedesktop.DBus.Introspectable">
                <method name="Introspect">
                  <arg name="xml_data" type="s" direction="out"/>
                </method>
              </interface>
              <interface name="%s">
                <method name="Ping"/>
                <method name="GetMachineId">
                  <arg name="machine_uuid" type="s" direction="out"/>
                </method>
              </interface>
            </node>
            """.formatted(INTERFACE, PeerService.INTERFACE);

    @Override
    public Answer answer(DBusMessage call) throws IOException {
        return switch (call.text(HeaderField.MEMBER) + '(' + call.signature() + ')') {
            case "Take(h)" -> take((UnixFileDescriptor) call.body().get(0));
            case "Introspect()" -> new Answer("s", INTROSPECTION);
            default -> throw DBusException.unknownMethod(call);
        };
    }

    private static Answer take(UnixFileDescriptor file) throws IOException {
        ByteBuf content = Unpooled.buffer();
        try (FileChannel channel = file.toFileChannel(StandardOpenOption.READ)) {
            // Read by position, because the caller shares the offset.
            while (content.writeBytes(channel, content.writerIndex(), CHUNK) > 0) {
                if (content.readableBytes() > MAX_SIZE) {
                    throw new DBusException("org.freedesktop.DBus.Error.LimitsExceeded",
                            "the file has more than " + MAX_SIZE + " bytes");
                }
            }
        }
        return new Answer("ht", UnixFileDescriptor.memfd("snapshot", content), (long) content.readableBytes());
    }
}
