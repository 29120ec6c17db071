package io.github.nettyunix.examples.dbus;

import java.io.IOException;

/** Handles method calls. */
@FunctionalInterface
interface Service {
    /** The reply: a signature, and a value for each of its types. The ownership of descriptors is transferred. */
    @SuppressWarnings("ArrayRecordComponent")
    record Answer(String signature, Object... values) {
    }

    /** Handles one call, which the caller releases. An exception is sent back as an error. */
    Answer answer(DBusMessage call) throws IOException;
}
