package loading;

import org.junit.jupiter.api.Test;

import java.util.jar.JarFile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The jar that the Maven Shade plugin makes, with the relocations of README.md. */
class ShadedTest {
    private static final String JAR = System.getProperty("shaded.jar");

    @Test
    void everythingIsRelocated() throws Exception {
        try (JarFile jar = new JarFile(JAR)) {
            assertTrue(jar.stream().noneMatch(entry -> entry.getName().matches("io/(netty|github)/.+\\.class")));
        }
        assertEquals(Jars.WORKS, Jars.java("-cp", JAR, "loading.Probe"));
    }
}
