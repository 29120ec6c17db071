package io.github.nettyunix.examples.dbus;

/** What a message's header can say, in the order of the specification's codes. */
enum HeaderField {
    PATH('o'), INTERFACE('s'), MEMBER('s'), ERROR_NAME('s'), REPLY_SERIAL('u'), DESTINATION('s'), SENDER('s'), SIGNATURE('g'),
    UNIX_FDS('u');

    /** Of its value. */
    final char type;

    HeaderField(char type) {
        this.type = type;
    }

    int code() {
        return ordinal() + 1;
    }

    /** {@code null} for one that a newer specification may have. */
    static HeaderField of(int code) {
        return code >= 1 && code <= values().length ? values()[code - 1] : null;
    }
}
