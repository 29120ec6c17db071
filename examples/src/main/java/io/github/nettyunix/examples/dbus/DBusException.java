package io.github.nettyunix.examples.dbus;

import java.io.IOException;

/** An error as messages carry it: with a name for programs, and a text for people. */
final class DBusException extends IOException {
    private final String name;
    private final String text;

    DBusException(String name, String text) {
        super(name + ": " + text);
        this.name = name;
        this.text = text;
    }

    String name() {
        return name;
    }

    String text() {
        return text;
    }
}
