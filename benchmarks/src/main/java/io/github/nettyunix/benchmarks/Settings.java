package io.github.nettyunix.benchmarks;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * What both sides of a workload have to know, and find on their command lines. Its counterpart is in {@code peer.h}.
 *
 * @param size the size of a message in bytes; on streams including its header
 * @param count the number of connections, or of descriptors per message
 * @param waiting how both sides wait for the next message
 * @param folder where the socket files are
 */
public record Settings(Operation operation, Type type, int size, int count, Waiting waiting, Path folder) {
    /** A message begins with the length of what follows (4 bytes) and its number (8 bytes). */
    public static final int HEADER = 12;

    /** The number of messages that are written before each flush. */
    public static final int BATCH = 64;

    public List<String> toArguments() {
        return List.of(operation.toString(), type.toString(), Integer.toString(size), Integer.toString(count),
                waiting.toString(), folder.toString());
    }

    public static Settings of(List<String> arguments) {
        return new Settings(Operation.valueOf(arguments.get(0).toUpperCase(Locale.ROOT).replace('-', '_')),
                Type.valueOf(arguments.get(1).toUpperCase(Locale.ROOT)), Integer.parseInt(arguments.get(2)),
                Integer.parseInt(arguments.get(3)), Waiting.valueOf(arguments.get(4).toUpperCase(Locale.ROOT)),
                Path.of(arguments.get(5)));
    }

    Settings withType(Type other) {
        return new Settings(operation, other, size, count, waiting, folder);
    }

    public Path server() {
        return folder.resolve("server");
    }

    public Path client() {
        return folder.resolve("client");
    }
}
