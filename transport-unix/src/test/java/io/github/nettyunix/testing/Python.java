package io.github.nettyunix.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A peer that we did not write: CPython's {@code socket} module in another process. The script is Python source that is
 * run with {@code peer.py} (the test resource) before it, without the site's packages; test and script talk in lines.
 */
public final class Python implements AutoCloseable {
    private static final long TIMEOUT_SECONDS = 60;
    private static final String PROGRAM = find();

    private final Process process;
    private final BufferedReader out;
    private final PrintWriter in;

    private Python(Process process) {
        this.process = process;
        out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        in = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
    }

    /** Returns the interpreter itself: {@code python3} may be a script that looks for it each time. */
    private static String find() {
        try {
            Process python = new ProcessBuilder("python3", "-c", "import sys; print(sys.executable)")
                    .redirectError(ProcessBuilder.Redirect.INHERIT).start();
            try (BufferedReader out = python.inputReader()) {
                return out.readLine();
            } finally {
                python.getOutputStream().close();
                python.getErrorStream().close();
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Runs a script; its {@code sys.argv[1:]} are the arguments, stderr is the test's. */
    public static Python run(String script, Object... arguments) throws IOException {
        return runWith(List.of(), script, arguments);
    }

    /** The same as another user, if this user is root: {@link Jvm#AS_NOBODY}. */
    public static Python runAsNobody(String script, Object... arguments) throws IOException {
        return runWith(Jvm.AS_NOBODY, script, arguments);
    }

    private static Python runWith(List<String> prefix, String script, Object... arguments) throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(PROGRAM, "-ISu", "-c", prelude() + script));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        return new Python(new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
    }

    private static String prelude() throws IOException {
        try (var peer = Python.class.getResourceAsStream("/peer.py")) {
            return new String(peer.readAllBytes(), StandardCharsets.UTF_8) + '\n';
        }
    }

    /** Returns the next line that the script prints. */
    public String line() throws IOException {
        String line = out.readLine();
        assertNotNull(line, "the Python peer ended early");
        return line;
    }

    /** Waits for a line, for example that a server listens. */
    public void expect(String line) throws IOException {
        assertEquals(line, line());
    }

    /** Sends a line to the script's {@code input()}. */
    public void say(String line) {
        in.println(line);
    }

    public long pid() {
        return process.pid();
    }

    /** Waits for the script to end without an error. */
    public void succeed() throws InterruptedException {
        in.close();
        assertTrue(process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS), "the Python peer did not end");
        assertEquals(0, process.exitValue(), "the Python peer failed");
        closePipes();
    }

    /** The JVM would close them a little after the process has ended, while the next test counts descriptors. */
    private void closePipes() {
        try {
            in.close();
            out.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        closePipes();
    }
}
