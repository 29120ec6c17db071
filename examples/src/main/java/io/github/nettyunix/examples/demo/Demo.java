package io.github.nettyunix.examples.demo;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.examples.Running;
import io.github.nettyunix.examples.broker.BrokerServer;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A broker passes files that only it can open to a client in another process, as descriptors, over each type of socket.
 * This is the broker's process; it starts the client's.
 */
public final class Demo {
    /** The user that the client runs as if the broker runs as root. Otherwise both run as the same user. */
    private static final String CLIENT_USER = System.getProperty("demo.run.as");
    /** The folder of the files and the sockets, which must not exist yet. */
    private static final String FOLDER = System.getProperty("demo.folder");
    private static final long TIMEOUT_SECONDS = 120;

    static final List<String> FILES = List.of("first.txt", "second.txt", "third.txt");

    private Demo() {
    }

    /**
     * Runs the demo.
     *
     * @param args none; the second process is started with {@code client <folder>}
     */
    public static void main(String[] args) {
        int status = 1;
        try {
            if (args.length == 2 && args[0].equals("client")) {
                Client.run(Path.of(args[1]));
            } else {
                run();
                System.out.println("demo: ok");
            }
            status = 0;
        } catch (Exception e) {
            System.out.println("demo: failed: " + e);
        }
        System.exit(status);
    }

    /** The types of sockets that this platform has. */
    static List<SocketType> types() {
        return Stream.of(SocketType.values()).filter(UnixTransport::supports).toList();
    }

    /** Returns the address of the broker's socket of a type. */
    static UnixSocketAddress brokerSocket(Path folder, SocketType type) {
        return UnixSocketAddress.of(folder.resolve(type + ".sock"));
    }

    /** Returns the address for the client's own socket. */
    static UnixSocketAddress clientSocket(Path folder, SocketType type) {
        return UnixSocketAddress.of(folder.resolve("client").resolve(type + ".sock"));
    }

    private static void run() throws Exception {
        UnixTransport.ensureAvailability();
        Path folder = FOLDER == null ? Files.createTempDirectory("netty-transport-unix-demo")
                : Files.createDirectory(Path.of(FOLDER));
        // Delete the folder even if the demo is interrupted: its files are secrets.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
        // Everybody may access the files in it, but nobody may list them.
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Path forClient = Files.createDirectory(folder.resolve("client"));
        Files.setPosixFilePermissions(forClient, PosixFilePermissions.fromString("rwxrwxrwx"));
        List<UnixFileDescriptor> files = new ArrayList<>();
        try {
            for (String name : FILES) {
                files.add(newSecret(folder.resolve(name)));
            }
            System.out.println("broker: opened " + FILES + (CLIENT_USER == null
                    ? " and deleted them, so that nobody can open them again"
                    : ", which only " + System.getProperty("user.name") + " may open"));
            serve(folder, files);
        } finally {
            files.forEach(UnixFileDescriptor::release);
        }
    }

    private static void serve(Path folder, List<UnixFileDescriptor> files) throws Exception {
        Process client = startClient(folder);
        try (Running running = new Running()) {
            for (SocketType type : types()) {
                BrokerServer.bind(running.group(), type, brokerSocket(folder, type),
                        who -> who.pid() == client.pid(), name -> granted(files, name)).sync();
            }
            // The client waits for the end of its standard input.
            client.getOutputStream().close();
            if (!client.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException("the client did not end in " + TIMEOUT_SECONDS + " s");
            }
            if (client.exitValue() != 0) {
                throw new IOException("the client ended with status " + client.exitValue());
            }
        } finally {
            client.destroyForcibly();
        }
    }

    private static UnixFileDescriptor granted(List<UnixFileDescriptor> files, String name) throws IOException {
        if (!FILES.contains(name)) {
            throw new IOException(name + ": not granted");
        }
        // Sending it transfers its ownership, so keep a reference.
        return files.get(FILES.indexOf(name)).retain();
    }

    /** Creates a file that the client cannot open: it belongs to root, or is already deleted. */
    private static UnixFileDescriptor newSecret(Path file) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, "I am " + file.getFileName() + ", " + UUID.randomUUID() + '\n');
        UnixFileDescriptor fd = UnixFileDescriptor.open(file, StandardOpenOption.READ);
        if (CLIENT_USER == null) {
            Files.delete(file);
        }
        return fd;
    }

    private static Process startClient(Path folder) throws IOException {
        List<String> command = new ArrayList<>();
        if (CLIENT_USER != null) {
            command.addAll(List.of("setpriv", "--reuid=" + id("-u"), "--regid=" + id("-g"), "--clear-groups"));
        }
        command.addAll(List.of(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                Demo.class.getName(), "client", folder.toString()));
        return new ProcessBuilder(command).redirectOutput(Redirect.INHERIT).redirectError(Redirect.INHERIT).start();
    }

    private static String id(String what) throws IOException {
        Process id = new ProcessBuilder("id", what, CLIENT_USER).redirectError(Redirect.INHERIT).start();
        return new String(id.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).trim();
    }

    private static void delete(Path folder) {
        try (Stream<Path> content = Files.walk(folder)) {
            for (Path path : content.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            System.out.println("broker: " + folder + " is left behind: " + e);
        }
    }
}
