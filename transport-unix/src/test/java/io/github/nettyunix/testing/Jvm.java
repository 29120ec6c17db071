package io.github.nettyunix.testing;

import java.util.ArrayList;
import java.util.List;

/** Another process with the classes of this one, for what cannot be undone in this one. */
public final class Jvm {
    private Jvm() {
    }

    /** The command that runs a class's main method; system properties come first: {@code "-Dname=value"}. */
    public static List<String> command(Class<?> main, String... options) {
        // It does not live long enough for more than the first compiler.
        List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java", "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path")));
        command.addAll(1, List.of(options));
        command.add(main.getName());
        return command;
    }
}
