package io.github.nettyunix.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Tells ./verify what has been proved, for its summary. */
public final class Proof {
    private static final Path FILE = Path.of("target", "proved.txt");

    private Proof() {
    }

    /**
     * To be called when it has been shown.
     *
     * @param peer who was at the other end: "CPython", "Netty", "itself"
     */
    public static synchronized void of(String peer, String what) {
        try {
            Files.writeString(FILE, Loops.selector() + '\t' + peer + '\t' + what + '\n', StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
