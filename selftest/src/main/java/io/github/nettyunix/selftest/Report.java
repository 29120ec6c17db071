package io.github.nettyunix.selftest;

import io.github.nettyunix.SocketType;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Prints the results as tables, and counts them. */
final class Report {
    private static final int WIDTH = 112;
    private static final int NAME = 44;
    private static final int CELL = 14;
    private static final String INDENT = "  ";

    private final Appendable out;
    private final Map<String, String> missing = new LinkedHashMap<>();
    private final Map<String, String> failures = new LinkedHashMap<>();
    private int passed;

    Report(Appendable out) {
        this.out = out;
    }

    void title(String text) {
        line("");
        line(text);
    }

    void table(String title, Map<String, String> rows) {
        title(title);
        rows.forEach((name, value) -> line(INDENT + pad(name, NAME) + value));
    }

    /** Prints the title of the table of features. */
    void features() {
        StringBuilder types = new StringBuilder();
        for (SocketType type : SocketType.values()) {
            types.append(pad(type.toString(), CELL));
        }
        title(pad("Sockets", NAME + INDENT.length()) + types);
    }

    /** Prints one row, with what {@code run} returns for each type of sockets. */
    void feature(Feature feature, Runner run) {
        Map<SocketType, String> cells = new EnumMap<>(SocketType.class);
        for (SocketType type : feature.types()) {
            cells.put(type, cell(feature, type, run));
        }
        StringBuilder row = new StringBuilder(INDENT).append(pad(feature.name(), NAME));
        for (SocketType type : SocketType.values()) {
            row.append(pad(cells.getOrDefault(type, "-"), CELL));
        }
        line(row.toString());
    }

    private String cell(Feature feature, SocketType type, Runner run) {
        try {
            String result = run.run(feature, type);
            passed++;
            return result;
        } catch (UnsupportedOperationException e) {
            missing.put(feature.name(), feature.otherwise());
            return "missing";
        } catch (Exception | LinkageError e) {
            failures.put(feature.name() + ", " + type, String.valueOf(e));
            return "FAILED";
        }
    }

    /** Prints the explanations and the last line; returns whether nothing has failed. */
    boolean end() {
        explain("Missing here: what it needs, and what the library does without", missing);
        explain("Failed", failures);
        line("");
        line(String.format(Locale.ROOT, "%d passed, %d missing, %d failed", passed, missing.size(), failures.size()));
        return failures.isEmpty();
    }

    private void explain(String title, Map<String, String> texts) {
        if (!texts.isEmpty()) {
            title(title);
        }
        texts.forEach((name, text) -> {
            line(INDENT + name);
            wrap(text, INDENT + INDENT);
        });
    }

    private void wrap(String text, String indent) {
        StringBuilder line = new StringBuilder();
        for (String word : text.split(" ")) {
            if (line.length() + word.length() + indent.length() >= WIDTH) {
                line(indent + line);
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        line(indent + line);
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(Math.max(1, width - text.length()));
    }

    private void line(String text) {
        try {
            out.append(text.stripTrailing()).append(System.lineSeparator());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Tries a feature. */
    interface Runner {
        String run(Feature feature, SocketType type) throws Exception;
    }
}
