package io.github.nettyunix.examples.proxy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.atomic.LongAdder;

/** The counters of the proxy, in both directions and for all connections. */
final class Stats {
    final LongAdder connections = new LongAdder();
    /** From the clients to the upstream. */
    final Traffic up = new Traffic();
    /** From the upstream to the clients. */
    final Traffic down = new Traffic();

    private String written;

    /** Writes the counters to a file if they have changed. Readers see the old file or the new one, never a part. */
    synchronized void write(Path file) throws IOException {
        String json = String.format(
                "{\"connections\": %d, \"bytesUp\": %d, \"bytesDown\": %d, \"fdsUp\": %d, \"fdsDown\": %d}%n",
                connections.sum(), up.bytes(), down.bytes(), up.fds(), down.fds());
        if (!json.equals(written)) {
            Path next = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(next, json);
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
            written = json;
        }
    }
}
