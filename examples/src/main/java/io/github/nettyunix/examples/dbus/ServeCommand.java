package io.github.nettyunix.examples.dbus;

import io.github.nettyunix.examples.Running;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.util.concurrent.Callable;

/** {@code dbus serve}: the service. */
@Command(name = "serve",
        description = "Makes snapshots: a caller of " + SnapshotService.INTERFACE + ".Take passes an open file, and "
                + "receives a copy of it in sealed memory, as an open file.")
final class ServeCommand implements Callable<Integer> {
    /** A flag for requesting a name: do not wait for it if it is taken. */
    private static final int DO_NOT_QUEUE = 4;
    private static final int PRIMARY_OWNER = 1;

    @Mixin
    private BusOption bus;

    @Parameters(paramLabel = "NAME", converter = BusName.Converter.class,
            description = "the name to request on the bus, for example com.example.Snapshot")
    private BusName name;

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            DBusConnection connection = DBusConnection.open(running.group(), bus.address(),
                    new PeerService(new SnapshotService()));
            DBusMessage reply = DBusConnection.result(connection.callBus("RequestName", "su", name.name(),
                    DO_NOT_QUEUE));
            try {
                if ((int) reply.body().get(0) != PRIMARY_OWNER) {
                    throw new IOException("somebody else is " + name.name() + " already");
                }
            } finally {
                reply.release();
            }
            System.err.println("serving as " + name.name());
            connection.awaitEnd();
            return 0;
        }
    }
}
