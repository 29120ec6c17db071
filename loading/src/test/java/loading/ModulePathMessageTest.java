package loading;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** An application on the class path, the library and Netty on the module path. */
class ModulePathMessageTest {
    private static final String SELECTOR = "io.netty.transport.classes.epoll";

    private static String with(String modules) throws Exception {
        return Jars.java("--module-path", Jars.path(Jars.netty(), Jars.transport()), "--add-modules",
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
    void withBothItWorks() throws Exception {
        assertEquals(Jars.WORKS, with("," + SELECTOR + "," + nativeModule()));
    }
}
