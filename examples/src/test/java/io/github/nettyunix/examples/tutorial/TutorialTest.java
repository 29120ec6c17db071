package io.github.nettyunix.examples.tutorial;

import io.github.nettyunix.examples.testing.Session;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** docs/tutorial.md: its programs, in a folder of the test's own, print what the document shows. */
class TutorialTest {
    private static final Pattern BLOCK = Pattern.compile("^```(\\w*)\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

    /** The files of the tutorial, and all of its sessions in one shell. */
    @Test
    void theTutorialPrintsWhatItSays(@TempDir Path folder) throws Exception {
        String tutorial = Files.readString(Path.of("../docs/tutorial.md"));
        for (MatchResult found : BLOCK.matcher(tutorial).results().toList()) {
            if (found.group(1).equals("java")) {
                String code = found.group(2);
                Matcher name = Pattern.compile("^public class (\\w+)", Pattern.MULTILINE).matcher(code);
                assertTrue(name.find());
                Files.writeString(folder.resolve(name.group(1) + ".java"), code.replace("/tmp/", folder + "/"));
            }
        }
        String sessions = BLOCK.matcher(tutorial).results().filter(found -> found.group(1).isEmpty())
                .map(found -> found.group(2)).collect(Collectors.joining());
        Session.type(sessions.replace("/tmp/", folder + "/").replace("lib/*", System.getProperty("java.class.path")),
                folder);
    }
}
