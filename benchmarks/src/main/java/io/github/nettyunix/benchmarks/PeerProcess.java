package io.github.nettyunix.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** One side's process. It ends when its input does, and with this one. */
final class PeerProcess implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 40;

    private final String name;
    private final Process process;
    private final Writer commands;
    private final BufferedReader replies;
    private boolean paused;

    /** @param processors those that it may use */
    PeerProcess(String name, List<Integer> processors, List<String> command) throws IOException {
        this.name = name;
        List<String> confined = new ArrayList<>(List.of("taskset", "-c", list(processors)));
        confined.addAll(command);
        process = new ProcessBuilder(confined).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        commands = process.outputWriter();
        replies = new BufferedReader(new InputStreamReader(process.getInputStream()));
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    }

    /** Pins it, with all of its threads, to one of them. */
    void pin(int processor) throws IOException {
        change("taskset", "-a", "-c", "-p", Integer.toString(processor), Long.toString(pid()));
    }

    /** Stops it, whatever it does, until it is told to go on. */
    void pause() throws IOException {
        change("kill", "-STOP", Long.toString(pid()));
        paused = true;
    }

    void resume() throws IOException {
        change("kill", "-CONT", Long.toString(pid()));
        paused = false;
    }

    private void change(String... command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try {
            if (process.waitFor() != 0) {
                throw new IOException(name + ": this failed: " + String.join(" ", command));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
    }

    private static String list(List<Integer> processors) {
        return processors.stream().map(String::valueOf).collect(Collectors.joining(","));
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
            throw new IOException(name + " said \"" + line + "\" and not \"" + expected + '"');
        }
    }

    /** A line of {@code name=number}s. */
    Map<String, Long> read() throws IOException {
        Map<String, Long> values = new HashMap<>();
        for (String word : readLine().split(" ")) {
            int equals = word.indexOf('=');
            values.put(word.substring(0, equals), Long.parseLong(word.substring(equals + 1)));
        }
        return values;
    }

    private String readLine() throws IOException {
        long asked = System.nanoTime();
        Thread watchdog = new Thread(() -> {
            try {
                TimeUnit.SECONDS.sleep(PATIENCE_SECONDS);
                process.destroyForcibly();
            } catch (InterruptedException e) {
                // It answered.
            }
        });
        watchdog.setDaemon(true);
        watchdog.start();
        String line;
        try {
            line = replies.readLine();
        } finally {
            watchdog.interrupt();
        }
        if (line == null) {
            boolean late = System.nanoTime() - asked >= TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            throw new IOException(name + (late ? " did not answer for " + PATIENCE_SECONDS + " s" : " ended"));
        }
        return line;
    }

    @Override
    public void close() throws IOException {
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
