package io.github.nettyunix.fire;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The process that runs {@code peers/hostile.py}. */
final class HostilePeer implements AutoCloseable {
    /** What is done while the peer waits for it. */
    interface Listener {
        void settle() throws Exception;

        void idle() throws Exception;

        /** The peer has waited in vain in an operation, and ends. */
        void stuck(String operation);
    }

    private final Process process;
    private final BufferedReader out;
    private final PrintWriter in;

    /** @param block the file of which it sends parts */
    HostilePeer(Path folder, Path block) throws IOException {
        Path program = folder.resolve("hostile.py");
        try (var resource = HostilePeer.class.getResourceAsStream("/peers/hostile.py")) {
            Files.copy(resource, program);
        }
        process = new ProcessBuilder("python3", "-ISu", program.toString(), block.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        out = process.inputReader(StandardCharsets.UTF_8);
        in = new PrintWriter(process.getOutputStream(), false, StandardCharsets.UTF_8);
    }

    /** Runs the operations, and returns when the peer's process has ended. */
    String run(Path folder, Scenario scenario, Listener listener) throws Exception {
        in.println("case " + folder + " " + scenario.type + " " + scenario.operations.size());
        scenario.operations.forEach(in::println);
        in.flush();
        while (true) {
            String line = out.readLine();
            if (line == null) {
                throw new IOException("the peer ended with status " + process.waitFor());
            }
            if (line.startsWith("done")) {
                return line;
            }
            if (line.startsWith("settle")) {
                listener.settle();
            } else if (line.startsWith("stuck")) {
                listener.stuck(line.substring(line.indexOf(' ') + 1));
            } else {
                listener.idle();
            }
            in.println("go");
            in.flush();
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
