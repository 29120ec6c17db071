package io.github.nettyunix.examples.dbus;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.DecoderException;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A message: the fields of its header, and its body, which is the content. In the body, a descriptor is represented by
 * an index into the message's descriptors.
 *
 * @see <a href="https://dbus.freedesktop.org/doc/dbus-specification.html#message-protocol">The D-Bus specification</a>
 */
final class DBusMessage extends UnixMessage {
    /** The types in the order of the specification's codes. Unknown types must be ignored. */
    enum Type {
        UNKNOWN, METHOD_CALL, METHOD_RETURN, ERROR, SIGNAL
    }

    static final int NO_REPLY_EXPECTED = 1;

    private final Type type;
    private final int flags;
    private final int serial;
    private final Map<HeaderField, Object> fields;
    private final boolean littleEndian;

    DBusMessage(Type type, int flags, int serial, Map<HeaderField, Object> fields, boolean littleEndian, ByteBuf body,
                UnixFileDescriptor... fds) {
        super(body, fds);
        this.type = type;
        this.flags = flags;
        this.serial = serial;
        this.fields = fields;
        this.littleEndian = littleEndian;
    }

    /**
     * Creates an outbound message.
     *
     * @param body the values, of the types in the signature; the message takes ownership of the descriptors among them
     */
    static DBusMessage of(Type type, int serial, Map<HeaderField, Object> fields, String signature, Object... body) {
        Map<HeaderField, Object> all = new EnumMap<>(HeaderField.class);
        all.putAll(fields);
        ByteBuf content = Unpooled.buffer();
        List<UnixFileDescriptor> fds = new ArrayList<>();
        for (int i = 0; i < body.length; i++) {
            Object value = body[i];
            if (value instanceof UnixFileDescriptor fd) {
                value = fds.size();
                fds.add(fd);
            }
            Values.write(content, signature.charAt(i), value);
        }
        if (!signature.isEmpty()) {
            all.put(HeaderField.SIGNATURE, signature);
        }
        if (!fds.isEmpty()) {
            all.put(HeaderField.UNIX_FDS, fds.size());
        }
        return new DBusMessage(type, 0, serial, all, true, content, fds.toArray(new UnixFileDescriptor[0]));
    }

    Type type() {
        return type;
    }

    int flags() {
        return flags;
    }

    int serial() {
        return serial;
    }

    Map<HeaderField, Object> fields() {
        return fields;
    }

    /** Returns a text field of the header; {@code null} if it is missing. */
    String text(HeaderField field) {
        return (String) fields.get(field);
    }

    /** Returns the types of the body's values. */
    String signature() {
        return (String) fields.getOrDefault(HeaderField.SIGNATURE, "");
    }

    /** Returns the values of the body. The descriptors among them belong to the message. */
    List<Object> body() {
        ByteBuf in = content().slice();
        return Stream.of(signature().split("")).filter(type -> !type.isEmpty()).map(type -> {
            Object value = Values.read(in, littleEndian, type.charAt(0));
            return type.equals("h") ? descriptor((int) value) : value;
        }).toList();
    }

    private UnixFileDescriptor descriptor(int index) {
        if (index < 0 || index >= fileDescriptors().size()) {
            throw new DecoderException("descriptor " + index + " of " + fileDescriptors().size());
        }
        return fileDescriptors().get(index);
    }
}
