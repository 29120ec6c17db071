package io.github.nettyunix.examples.dbus;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Implements {@code org.freedesktop.DBus.Peer}, which every application provides for all its objects, and passes all
 * other calls to the next service.
 *
 * @see <a href="https://dbus.freedesktop.org/doc/dbus-specification.html#standard-interfaces-peer">The D-Bus
 *         specification</a>
 */
record PeerService(Service next) implements Service {
    static final String INTERFACE = "org.freedesktop.DBus.Peer";

    private static final List<Path> MACHINE_ID = List.of(Path.of("/var/lib/dbus/machine-id"),
            Path.of("/etc/machine-id"));

    @Override
    public Answer answer(DBusMessage call) throws IOException {
        // A call may omit the interface of its method.
        String type = call.text(HeaderField.INTERFACE);
        if (type != null && !type.equals(INTERFACE)) {
            return next.answer(call);
        }
        return switch (call.text(HeaderField.MEMBER) + '(' + call.signature() + ')') {
            case "Ping()" -> new Answer("");
            case "GetMachineId()" -> new Answer("s", machineId());
            default -> {
                if (type != null) {
                    throw DBusException.unknownMethod(call);
                }
                yield next.answer(call);
            }
        };
    }

    private static String machineId() throws IOException {
        for (Path file : MACHINE_ID) {
            if (Files.exists(file)) {
                return Files.readString(file).strip();
            }
        }
        throw new IOException("this machine has no id: there is none of " + MACHINE_ID);
    }
}
