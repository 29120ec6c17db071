package io.github.nettyunix.api;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Every row of docs/security.md names a test, and these tests exist. */
@Tag("once")
class SecurityDocumentTest {
    /** {@code `SomeTest`}, {@code `SomeTest#method`}, or {@code `#method`} of the test named last. */
    private static final Pattern NAME = Pattern.compile("`(\\w+Test)?(?:#(\\w+))?`");

    @Test
    void everyRowNamesTestsThatExist() throws IOException {
        Map<String, String> tests;
        try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
            tests = files.filter(file -> file.toString().endsWith("Test.java")).collect(Collectors.toMap(
                    file -> file.getFileName().toString().replace(".java", ""), SecurityDocumentTest::read,
                    (a, b) -> a));
        }
        List<String> wrong = new ArrayList<>();
        int rows = 0;
        for (String line : Files.readAllLines(Path.of("../docs/security.md"))) {
            if (!line.startsWith("| ") || line.startsWith("| Attack") || line.startsWith("| Guarantee")) {
                continue;
            }
            rows++;
            String[] cells = line.split("\\|");
            Matcher name = NAME.matcher(cells[cells.length - 1]);
            String test = null;
            while (name.find()) {
                test = name.group(1) == null ? test : name.group(1);
                String source = tests.getOrDefault(test, "");
                if (source.isEmpty() || name.group(2) != null && !source.contains(" " + name.group(2) + "(")) {
                    wrong.add(name.group());
                }
            }
            if (test == null) {
                wrong.add("no test: " + line);
            }
        }
        assertTrue(rows > 0);
        assertEquals(List.of(), wrong);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
