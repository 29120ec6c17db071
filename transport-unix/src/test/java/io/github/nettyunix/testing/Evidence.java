package io.github.nettyunix.testing;

import io.github.nettyunix.SocketType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Records what tests have shown, for the summary of ./verify. */
public final class Evidence {
    private static final Path PROVED = Path.of("target", "proved.txt");
    private static final Path DOES_NOT_APPLY = Path.of("target", "does-not-apply.txt");

    private Evidence() {
    }

    /**
     * Records what a test has shown.
     *
     * @param peer who was at the other end: "CPython", "Netty", "itself"
     */
    public static void of(String peer, String what) {
        append(PROVED, peer + '\t' + what);
    }

    /** Records a test that does not apply, because there are no sockets of this type. */
    static void doesNotApply(SocketType type) {
        append(DOES_NOT_APPLY, type.toString());
    }

    private static synchronized void append(Path file, String line) {
        try {
            Files.writeString(file, Loops.selector() + '\t' + line + '\n', StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
