package io.github.nettyunix.testing;

import io.github.nettyunix.UnixCredentials;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Another JVM with the classes of this one, for what cannot be undone here. */
public final class Jvm {
    /**
     * The prefix of a command to run as user nobody, who can still read the classes of this JVM wherever they are.
     * Empty if this is not root: only root can become another user.
     */
    public static final List<String> AS_NOBODY = UnixCredentials.ofThisProcess().uid() != 0 ? List.of()
            : List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+dac_read_search",
                    "--ambient-caps=+dac_read_search");

    /** The program that runs this JVM, which is not the JDK's own under {@code ./verify --sanitize}. */
    public static final String JAVA = ProcessHandle.current().info().command().orElseThrow();

    /** What class-data.xml makes. The jars that it has been made of must be the first of the class path. */
    private static final Path ARCHIVE = Path.of("target", "class-data", "archive").toAbsolutePath();
    private static final String CLASS_PATH = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .sorted(Comparator.comparing(entry -> !entry.endsWith(".jar")))
            .collect(Collectors.joining(File.pathSeparator));

    private Jvm() {
    }

    /** The command that runs a class's main method; system properties come first: {@code "-Dname=value"}. */
    public static List<String> command(Class<?> main, String... options) {
        // It does not live long enough for the second compiler.
        List<String> command = new ArrayList<>(List.of(JAVA, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED", "-cp", CLASS_PATH));
        command.addAll(1, List.of(options));
        if (Files.exists(ARCHIVE)) {
            // A JVM that cannot use it starts without, and says nothing.
            command.addAll(1, List.of("-XX:SharedArchiveFile=" + ARCHIVE, "-Xlog:disable"));
        }
        command.add(main.getName());
        return command;
    }
}
