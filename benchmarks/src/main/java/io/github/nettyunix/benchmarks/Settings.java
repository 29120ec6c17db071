package io.github.nettyunix.benchmarks;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * What both sides of a workload have to know. Programs get it on their command line; {@code peer.h} has the same.
 *
 * @param size the bytes of a message; on streams with its header
 * @param count connections, or descriptors a message
 * @param spin whether the sides look for the next message all the time, instead of sleeping until there is one
 * @param folder where the socket files are
 */
public record Settings(Operation operation, SocketKind kind, int size, int count, boolean spin, Path folder) {
    /** A message begins with the length of what follows (4 bytes) and its number (8 bytes). */
    public static final int HEADER = 12;

    /** So many messages are written before each flush. */
    public static final int BATCH = 64;

    public List<String> toArguments() {
        return List.of(operation.toString(), kind.toString(), Integer.toString(size), Integer.toString(count),
                Boolean.toString(spin), folder.toString());
    }

    public static Settings of(List<String> arguments) {
        return new Settings(Operation.of(arguments.get(0)), SocketKind.valueOf(arguments.get(1).toUpperCase(Locale.ROOT)),
                Integer.parseInt(arguments.get(2)), Integer.parseInt(arguments.get(3)),
                Boolean.parseBoolean(arguments.get(4)), Path.of(arguments.get(5)));
    }

    public Path server() {
        return folder.resolve("server");
    }

    public Path client() {
        return folder.resolve("client");
    }
}
