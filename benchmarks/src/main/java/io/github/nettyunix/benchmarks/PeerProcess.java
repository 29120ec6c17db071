package io.github.nettyunix.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** The process of one side. It ends when its input does, and with this process. */
final class PeerProcess implements AutoCloseable {
    private static final long TIMEOUT_SECONDS = 40;
    private static final ScheduledExecutorService WATCHDOG = Executors.newSingleThreadScheduledExecutor();

    private final String name;
    private final Process process;
    private final Writer commands;
    private final BufferedReader replies;
    private boolean paused;

    /** @param processors those that it may use */
    PeerProcess(String name, List<Integer> processors, List<String> command) throws IOException {
        this.name = name;
        String list = processors.stream().map(String::valueOf).collect(Collectors.joining(","));
        List<String> confined = new ArrayList<>(List.of("taskset", "-c", list));
        confined.addAll(command);
        process = new ProcessBuilder(confined).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        commands = process.outputWriter();
        replies = process.inputReader();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    }

    /** Pins all of its threads to one processor. */
    void pin(int processor) throws IOException {
        execute("taskset", "-a", "-c", "-p", Integer.toString(processor), Long.toString(pid()));
    }

    /** Stops it, whatever it is doing, until {@link #resume()}. */
    void pause() throws IOException {
        execute("kill", "-STOP", Long.toString(pid()));
        paused = true;
    }

    void resume() throws IOException {
        execute("kill", "-CONT", Long.toString(pid()));
        paused = false;
    }

    private void execute(String... command) throws IOException {
        Process running = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try {
            if (running.waitFor() != 0) {
                throw new IOException(name + ": this command failed: " + String.join(" ", command));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
    }

    long pid() {
        return process.pid();
    }

    void tell(String command) throws IOException {
        commands.write(command + '\n');
        commands.flush();
    }

    void await(String expected) throws IOException {
        String line = readLine();
        if (!line.equals(expected)) {
            throw new IOException("%s replied \"%s\" instead of \"%s\"".formatted(name, line, expected));
        }
    }

    /** Reads a line of {@code name=number}s. */
    Map<String, Long> read() throws IOException {
        Map<String, Long> values = new HashMap<>();
        for (String word : readLine().split(" ")) {
            int equals = word.indexOf('=');
            values.put(word.substring(0, equals), Long.parseLong(word.substring(equals + 1)));
        }
        return values;
    }

    private String readLine() throws IOException {
        Future<?> timeout = WATCHDOG.schedule(process::destroyForcibly, TIMEOUT_SECONDS, TimeUnit.SECONDS);
        String line = replies.readLine();
        boolean inTime = timeout.cancel(false);
        if (line == null) {
            throw new IOException(name + (inTime ? " ended" : " did not reply within " + TIMEOUT_SECONDS + " s"));
        }
        return line;
    }

    @Override
    public void close() {
        try {
            commands.close();
            if (paused) {
                resume();
            }
        } catch (IOException ignored) {
            // It has ended.
        }
        try {
            if (!process.waitFor(1, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
