package io.github.nettyunix.examples.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Records what tests have shown with which peer, for the summary of ./verify. */
public final class Evidence {
    private static final String SELECTOR = System.getProperty("os.name").equals("Linux") ? "epoll" : "kqueue";

    private Evidence() {
    }

    /**
     * Records what a test has shown.
     *
     * @param peer the program at the other end: "socat", "nginx"
     */
    public static synchronized void of(String peer, String what) {
        try {
            Files.writeString(Path.of("target", "proved.txt"), SELECTOR + '\t' + peer + '\t' + what + '\n',
                    StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
