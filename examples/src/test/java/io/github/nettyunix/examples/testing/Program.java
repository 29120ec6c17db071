package io.github.nettyunix.examples.testing;

import io.github.nettyunix.examples.Examples;
import org.opentest4j.TestAbortedException;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A program that a test has started: an example in a process of its own, or a peer from the system. Its standard output
 * and error are recorded; {@link #close()} stops it.
 */
public final class Program implements AutoCloseable {
    /** Far more than anything takes, even on a busy machine. */
    private static final long TIMEOUT_SECONDS = 120;
    private static final int LONGEST_MESSAGE = 4000;
    /** What a JVM prints because of its environment, such as JAVA_TOOL_OPTIONS. */
    private static final Pattern JVM_NOTICE = Pattern.compile("^(NOTE: )?Picked up \\w*JAVA\\w*: ");
    private static final List<String> FOLDERS = Stream.concat(
            Stream.of(System.getenv("PATH").split(File.pathSeparator)),
            // Folders with servers that are not on every user's PATH.
            Stream.of("/usr/local/sbin", "/usr/sbin", "/sbin")).toList();

    // The interpreter itself: python3 may be a script that looks for it each time, which takes longer than running it.
    private static final String PYTHON = findPython();

    private final String name;
    private final Process process;
    private final StringBuilder output = new StringBuilder();
    private final Thread reader;
    private int seen;
    private boolean ended;

    private Program(ProcessBuilder builder) {
        name = String.join(" ", builder.command());
        try {
            process = builder.redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        reader = new Thread(this::read, "output of " + process.pid());
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts a program of the system, which must be installed. */
    public static Program start(String... command) {
        return start(new ProcessBuilder(command));
    }

    /** Starts a program of the system, with an environment or a folder of its own. */
    public static Program start(ProcessBuilder builder) {
        builder.command().set(0, path(builder.command().get(0)));
        return new Program(builder);
    }

    /** Starts an example, as examples/run does. */
    public static Program example(String... arguments) {
        return start(new ProcessBuilder(exampleCommand(arguments)));
    }

    /** The command that starts an example, for programs that start programs. */
    public static List<String> exampleCommand(String... arguments) {
        List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java",
                "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m",
                "-Dio.netty.jfr.enabled=false", "-cp", ClassData.CLASS_PATH, Examples.class.getName()));
        command.addAll(1, ClassData.OPTIONS);
        command.addAll(List.of(arguments));
        return command;
    }

    /** Returns the path of a program, unless it is {@linkplain #missing(String) missing}. */
    public static String path(String program) {
        if (program.contains("/")) {
            return program;
        }
        if (program.equals("python3") && PYTHON != null) {
            return PYTHON;
        }
        return FOLDERS.stream().map(folder -> Path.of(folder, program)).filter(Files::isExecutable).findFirst()
                .orElseGet(() -> missing(program)).toString();
    }

    private static String findPython() {
        try {
            Process python = new ProcessBuilder("python3", "-c", "import sys; print(sys.executable)").start();
            python.getOutputStream().close();
            String found = new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return found.isEmpty() ? null : found;
        } catch (IOException e) {
            // It is not installed.
            return null;
        }
    }

    /**
     * Ends a test that needs a program which is not installed: it fails, or is left out if the system property
     * {@code nettyunix.test.peers} is {@code optional}.
     */
    public static Path missing(String program) {
        if ("optional".equals(System.getProperty("nettyunix.test.peers"))) {
            throw new TestAbortedException("left out: " + program + " is not installed");
        }
        throw new AssertionError(program + " is not installed; ./verify installs it");
    }

    public Process process() {
        return process;
    }

    private void read() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(process.getInputStream(),
                StandardCharsets.UTF_8))) {
            for (String line; (line = lines.readLine()) != null;) {
                if (JVM_NOTICE.matcher(line).find()) {
                    continue;
                }
                synchronized (this) {
                    output.append(line).append('\n');
                    notifyAll();
                }
            }
        } catch (IOException e) {
            // The process was destroyed.
        } finally {
            synchronized (this) {
                ended = true;
                notifyAll();
            }
        }
    }

    /** Waits for a line in which the pattern is found, after the last one waited for. */
    public synchronized Matcher awaitLine(String pattern) throws InterruptedException {
        Pattern wanted = Pattern.compile(pattern);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        while (true) {
            for (int newline; (newline = output.indexOf("\n", seen)) >= 0;) {
                Matcher matcher = wanted.matcher(output.substring(seen, newline));
                seen = newline + 1;
                if (matcher.find()) {
                    return matcher;
                }
            }
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (ended || left <= 0) {
                throw new AssertionError((ended ? "ended" : "no line for " + TIMEOUT_SECONDS + " s")
                        + ", waiting for \""
                        + pattern + "\": " + this);
            }
            wait(left);
        }
    }

    /** Waits for lines, in any order, after the last one waited for. */
    public synchronized void awaitLines(List<Pattern> patterns) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        List<Pattern> missing = new ArrayList<>(patterns);
        while (!missing.isEmpty()) {
            for (int newline; (newline = output.indexOf("\n", seen)) >= 0;) {
                String line = output.substring(seen, newline);
                seen = newline + 1;
                for (Pattern pattern : missing) {
                    if (pattern.matcher(line).find()) {
                        missing.remove(pattern);
                        break;
                    }
                }
            }
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (!missing.isEmpty()) {
                if (ended || left <= 0) {
                    throw new AssertionError("no " + missing + ": " + this);
                }
                wait(left);
            }
        }
    }

    /** Waits until a file exists, such as a server's socket. */
    public void awaitFile(Path file) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        while (!Files.exists(file)) {
            if (System.nanoTime() > end || !process.isAlive()) {
                throw new AssertionError("there is no " + file + ": " + this);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Writes to its standard input. */
    public Program send(String text) throws IOException {
        OutputStream input = process.getOutputStream();
        input.write(text.getBytes(StandardCharsets.UTF_8));
        input.flush();
        return this;
    }

    /** Ends its standard input. */
    public Program endInput() throws IOException {
        process.getOutputStream().close();
        return this;
    }

    /** Waits until it ends, and returns its exit status. */
    public int exitValue() throws InterruptedException {
        if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("did not end in " + TIMEOUT_SECONDS + " s: " + this);
        }
        reader.join();
        return process.exitValue();
    }

    /** Waits until it has no descriptor of a file whose path contains the text. */
    public void awaitClosed(String text) throws IOException {
        Path descriptors = Path.of("/proc", String.valueOf(process.pid()), "fd");
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        while (true) {
            List<String> open = new ArrayList<>();
            try (Stream<Path> all = Files.list(descriptors)) {
                for (Path descriptor : all.toList()) {
                    try {
                        open.add(Files.readSymbolicLink(descriptor).toString());
                    } catch (NoSuchFileException e) {
                        // Closed since it was listed.
                    }
                }
            }
            open.removeIf(path -> !path.contains(text));
            if (open.isEmpty()) {
                return;
            }
            if (System.nanoTime() > end) {
                throw new AssertionError("still open after " + TIMEOUT_SECONDS + " s: " + open + ": " + this);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Returns what it has printed so far. */
    public synchronized String output() {
        return output.toString();
    }

    /** Asks it to end, as a service manager does. */
    public Program terminate() {
        process.destroy();
        return this;
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        try {
            exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public String toString() {
        String said = output();
        int start = Math.max(said.length() - LONGEST_MESSAGE, 0);
        return name + "\n--- its output" + (start > 0 ? ", the end of it:\n" : ":\n") + said.substring(start) + "---";
    }
}
