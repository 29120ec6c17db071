package io.github.nettyunix.examples.frameworks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The files that this process has open. */
public final class OpenFiles {
    private OpenFiles() {
    }

    /** Returns those whose path contains a text. */
    public static List<String> of(String text) throws IOException {
        List<String> open = new ArrayList<>();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                try {
                    open.add(Files.readSymbolicLink(descriptor).toString());
                } catch (NoSuchFileException e) {
                    // That of the listing.
                }
            }
        }
        open.removeIf(path -> !path.contains(text));
        return open;
    }
}
