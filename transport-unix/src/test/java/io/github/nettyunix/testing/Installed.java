package io.github.nettyunix.testing;

import org.opentest4j.TestAbortedException;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Programs that a test needs and that a system may lack. */
public final class Installed {
    private Installed() {
    }

    /**
     * Returns where a program is. If it is not installed the test fails, or is left out if the system property
     * {@code nettyunix.test.peers} is {@code optional}, as it is for {@code ./verify --tests}.
     */
    public static String path(String program) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator)).map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable).findFirst().orElseThrow(() -> missing(program)).toString();
    }

    private static AssertionError missing(String program) {
        if ("optional".equals(System.getProperty("nettyunix.test.peers"))) {
            throw new TestAbortedException("left out: " + program + " is not installed");
        }
        return new AssertionError(program + " is not installed; ./verify installs it");
    }
}
