package io.github.nettyunix.examples.frameworks;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * docs/frameworks.md shows what is compiled and tested here: each paragraph of its snippets is part of a source file,
 * its table has the versions of pom.xml, and counts the lines of each section's first snippet.
 */
class FrameworksDocumentTest {
    private static final Pattern SNIPPET = Pattern.compile("^```java\n(.*?)^```\n", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern ROW = Pattern.compile("^\\| \\[([^]]+)]\\(#[^)]+\\) \\| (\\S+) \\| (\\d+) \\| .+ \\|$",
            Pattern.MULTILINE);

    private static final String DOCUMENT = contentOf(Path.of("../../docs/frameworks.md"));

    private static String contentOf(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Returns the lines of a text without their indentation. */
    private static String unindented(String text) {
        return String.join("\n", text.lines().map(String::strip).toList());
    }

    private static List<String> snippets(String text) {
        return SNIPPET.matcher(text).results().map(found -> found.group(1)).toList();
    }

    @Test
    void eachSnippetIsPartOfASourceFile() throws Exception {
        List<String> sources = new ArrayList<>();
        try (Stream<Path> files = Files.walk(Path.of("src"))) {
            files.filter(file -> file.toString().endsWith(".java"))
                    .forEach(file -> sources.add("\n" + unindented(contentOf(file)) + "\n"));
        }
        for (String snippet : snippets(DOCUMENT)) {
            for (String paragraph : unindented(snippet).split("\n\n+")) {
                String lines = "\n" + paragraph.strip() + "\n";
                assertTrue(sources.stream().anyMatch(source -> source.contains(lines)),
                        () -> "in no source file:" + lines);
            }
        }
    }

    @Test
    void theTableIsThatOfTheSections() {
        String versions = contentOf(Path.of("pom.xml")) + contentOf(Path.of("../../pom.xml"));
        List<String> sections = new ArrayList<>();
        for (Matcher row = ROW.matcher(DOCUMENT); row.find();) {
            String framework = row.group(1);
            sections.add(framework);
            assertTrue(versions.contains(".version>" + row.group(2) + "</"), row::group);
            int start = DOCUMENT.indexOf("\n## " + framework + "\n");
            assertTrue(start >= 0, () -> "no section of " + framework);
            String first = snippets(DOCUMENT.substring(start)).get(0);
            assertEquals(first.lines().filter(line -> !line.isBlank()).count(), Integer.parseInt(row.group(3)),
                    () -> "lines of " + framework);
        }
        assertEquals(Pattern.compile("^## (.+)$", Pattern.MULTILINE).matcher(DOCUMENT).results()
                .map(found -> found.group(1)).toList(), sections);
    }
}
