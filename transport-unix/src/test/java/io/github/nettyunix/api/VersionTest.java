package io.github.nettyunix.api;

import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.UnixTransportVersion;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

@Tag("once")
class VersionTest {
    @Test
    void theVersionIsTheOneOfTheBuild() throws Exception {
        Matcher pom = Pattern.compile("\n  <version>(.*)</version>\n").matcher(Files.readString(Path.of("../pom.xml")));
        assertTrue(pom.find());
        UnixTransportVersion version = UnixTransport.version();
        assertEquals(pom.group(1), version.version());
        // A copy of the tree without its repository does not know its commit.
        assertTrue(version.commit().matches("[0-9a-f]{40}(-dirty)?|unknown"), version.commit());
        assertTrue(version.buildTime().isAfter(Instant.EPOCH), version::toString);
    }
}
