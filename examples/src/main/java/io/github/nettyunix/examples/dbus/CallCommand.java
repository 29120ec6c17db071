package io.github.nettyunix.examples.dbus;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.examples.Running;
import io.netty.util.concurrent.Future;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** {@code dbus call}: the caller. */
@Command(name = "call", description = "Requests a snapshot of a file from 'dbus serve', and prints it.")
final class CallCommand implements Callable<Integer> {
    private static final int PATIENCE_SECONDS = 2;
    private static final int TIMEOUT_SECONDS = 25;

    @Mixin
    private BusOption bus;

    @Parameters(index = "0", paramLabel = "NAME", converter = BusName.Converter.class,
            description = "the name of the service on the bus")
    private BusName name;

    @Parameters(index = "1", paramLabel = "FILE",
            description = "the file, which is opened here and passed as a descriptor")
    private Path file;

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            DBusConnection connection = DBusConnection.open(running.group(), bus.address(), call -> {
                throw new DBusException("org.freedesktop.DBus.Error.UnknownMethod", "nothing can be called here");
            });
            Future<DBusMessage> call = connection.call(name.name(), SnapshotService.PATH, SnapshotService.INTERFACE,
                    "Take", "h", UnixFileDescriptor.open(file));
            if (!call.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("waiting for " + name.name());
                if (!call.await(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                    throw new IOException(name.name() + " does not answer");
                }
            }
            DBusMessage reply = DBusConnection.result(call);
            try {
                print(reply);
            } finally {
                // This also closes the snapshot.
                reply.release();
            }
            return 0;
        }
    }

    private void print(DBusMessage reply) throws IOException {
        if (!reply.signature().equals("ht")) {
            throw new IOException(name.name() + " answers with (" + reply.signature() + "), and not with (ht)");
        }
        List<Object> values = reply.body();
        System.err.println("a snapshot of " + values.get(1) + " bytes");
        UnixFileDescriptor snapshot = (UnixFileDescriptor) values.get(0);
        try (InputStream content = Channels.newInputStream(snapshot.toFileChannel(StandardOpenOption.READ))) {
            content.transferTo(System.out);
            System.out.flush();
        }
    }
}
