package io.github.nettyunix.examples.dbus;

import java.io.IOException;

/** An error as it appears in messages, with a name for programs and a text for people. */
final class DBusException extends IOException {
    private final String name;
    private final String text;

    DBusException(String name, String text) {
        super(name + ": " + text);
        this.name = name;
        this.text = text;
    }

    /** Returns the error for a call of a method that does not exist. */
    static DBusException unknownMethod(DBusMessage call) {
        return new DBusException("org.freedesktop.DBus.Error.UnknownMethod",
                "there is no " + call.text(HeaderField.MEMBER) + '(' + call.signature() + ')');
    }

    String name() {
        return name;
    }

    String text() {
        return text;
    }
}
