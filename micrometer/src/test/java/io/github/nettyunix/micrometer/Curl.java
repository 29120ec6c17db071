package io.github.nettyunix.micrometer;

import org.opentest4j.TestAbortedException;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** The peer of the tests, as Prometheus would be. */
final class Curl {
    private Curl() {
    }

    /** Returns the lines of the page, which a server on a Unix socket has; the test is left out if there is no curl. */
    static List<String> get(Path socket) throws IOException, InterruptedException {
        if (Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .noneMatch(folder -> Files.isExecutable(Path.of(folder, "curl")))) {
            throw new TestAbortedException("curl is not installed");
        }
        Process curl = new ProcessBuilder("curl", "-s", "-S", "--max-time", "30", "--unix-socket", socket.toString(),
                "http://localhost/metrics").redirectErrorStream(true).start();
        String output = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, curl.waitFor(), output);
        return output.lines().toList();
    }

    /** Adds a line to the summary of ./verify. */
    static synchronized void proved(String what) throws IOException {
        String selector = System.getProperty("os.name").equals("Linux") ? "epoll" : "kqueue";
        Files.writeString(Path.of("target", "proved.txt"), selector + "\tcurl\t" + what + '\n',
                StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
}
