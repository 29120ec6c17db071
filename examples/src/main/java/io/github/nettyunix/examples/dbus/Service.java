package io.github.nettyunix.examples.dbus;

import java.io.IOException;

/** Answers calls. */
@FunctionalInterface
interface Service {
    /** What is sent back: a signature, and a value for each of its types. Descriptors are given away. */
    record Answer(String signature, Object... values) {
    }

    /** Answers one call, which the caller releases; an exception is sent back as an error. */
    Answer answer(DBusMessage call) throws IOException;
}
