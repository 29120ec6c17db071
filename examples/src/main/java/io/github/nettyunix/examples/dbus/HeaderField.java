package io.github.nettyunix.examples.dbus;

/** The fields of a message's header, in the order of the specification's codes. */
enum HeaderField {
    PATH('o'), INTERFACE('s'), MEMBER('s'), ERROR_NAME('s'), REPLY_SERIAL('u'), DESTINATION('s'), SENDER('s'),
    SIGNATURE('g'), UNIX_FDS('u');

    /** The type of the field's value. */
    final char type;

    HeaderField(char type) {
        this.type = type;
    }

    int code() {
        return ordinal() + 1;
    }

    /** Returns the field; {@code null} if it is unknown, as fields of a newer specification are. */
    static HeaderField of(int code) {
        return code >= 1 && code <= values().length ? values()[code - 1] : null;
    }
}
