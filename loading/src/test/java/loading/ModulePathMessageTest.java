package loading;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** An application on the class path, the library and Netty on the module path. */
class ModulePathMessageTest {
    private static final String SELECTOR = "io.netty.transport.classes.epoll";

    @TempDir
    private Path folder;

    private static String with(String modules) throws Exception {
        return with(Jars.transport(), modules);
    }

    private static String with(Path transport, String modules) throws Exception {
        return Jars.java("--module-path", Jars.path(Jars.netty(), transport), "--add-modules",
                "io.github.nettyunix" + modules, "-cp", Jars.PROBE.toString(), "loading.Probe");
    }

    private static String nativeModule() {
        return "io.netty.transport.epoll.linux." + (System.getProperty("os.arch").equals("aarch64") ? "aarch_64"
                : "x86_64");
    }

    @Test
    void aModuleThatNobodyRequiresIsNamed() throws Exception {
        assertEquals("unavailable: the module " + SELECTOR + " is not there: write 'requires " + SELECTOR
                + "' in module-info.java, or start with --add-modules " + SELECTOR, with(""));
    }

    @Test
    void theModuleOfNettysLibraryIsNamed() throws Exception {
        String line = with("," + SELECTOR);
        assertTrue(line.startsWith("unavailable: Netty's epoll library does not load; start with --add-modules "
                + nativeModule()), line);
    }

    @Test
    void theModuleOfThisLibraryIsNamed() throws Exception {
        Path classes = Files.copy(Jars.transport(), folder.resolve("classes.jar"));
        try (FileSystem content = FileSystems.newFileSystem(classes);
                Stream<Path> natives = Files.list(content.getPath("META-INF/native"))) {
            for (Path each : natives.toList()) {
                Files.delete(each);
            }
        }
        String line = with(classes, "," + SELECTOR + "," + nativeModule());
        assertTrue(line.contains(" is in no module: add the jar for this platform to the module path, and start with "
                + "--add-modules " + nativeModule().replace("io.netty.transport.epoll", "io.github.nettyunix")), line);
    }

    @Test
    void withBothItWorks() throws Exception {
        assertEquals(Jars.WORKS, with("," + SELECTOR + "," + nativeModule()));
    }
}
