package io.github.nettyunix.examples.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A PostgreSQL with an empty database, whose superuser {@code postgres} needs no password. */
public final class Postgres {
    /** The name of its socket. */
    public static final String SOCKET = ".s.PGSQL.5432";

    private Postgres() {
    }

    /**
     * Starts it.
     *
     * @param folder where its socket and its data are; all users may use it from now on
     * @return the server, which accepts connections
     */
    public static Program start(Path folder) throws IOException, InterruptedException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        String data = folder.resolve("data").toString();
        try (Program initdb = Program.start(command("initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync",
                "--no-instructions"))) {
            initdb.endInput();
            if (initdb.exitValue() != 0) {
                throw new AssertionError(initdb);
            }
        }
        Program server = Program.start(command("postgres", "-D", data, "-c", "listen_addresses=", "-c",
                "unix_socket_directories=" + folder, "-c", "fsync=off"));
        server.awaitLine("ready to accept connections");
        return server;
    }

    /** It does not run as root. */
    private static String[] command(String program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            command.addAll(List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"));
        }
        command.add(program(program));
        command.addAll(List.of(arguments));
        return command.toArray(new String[0]);
    }

    /** Debian has one folder of programs per version. */
    private static String program(String name) throws IOException {
        Path versions = Path.of("/usr/lib/postgresql");
        if (Files.isDirectory(versions)) {
            try (Stream<Path> folders = Files.list(versions)) {
                Path found = folders.map(version -> version.resolve("bin").resolve(name)).filter(Files::isExecutable)
                        .findFirst().orElse(null);
                if (found != null) {
                    return found.toString();
                }
            }
        }
        return Program.path(name);
    }
}
