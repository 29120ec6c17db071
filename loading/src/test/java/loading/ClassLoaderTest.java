package loading;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.lang.ref.WeakReference;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Class loaders as application servers and plugins have them. */
class ClassLoaderTest {
    private static final ClassLoader JDK = ClassLoader.getPlatformClassLoader();
    private static final int COLLECTIONS = 200;

    @TempDir
    private Path folder;

    private static URLClassLoader application(ClassLoader netty) throws Exception {
        return Jars.loader(netty, List.of(Jars.transport()), Jars.PROBE);
    }

    private static Class<?> probe(ClassLoader loader) throws Exception {
        return loader.loadClass("loading.Probe");
    }

    @Test
    void nettyIsInAParent() throws Exception {
        try (URLClassLoader netty = Jars.loader(JDK, Jars.netty()); URLClassLoader application = application(netty)) {
            assertEquals(Jars.WORKS, Jars.probe(probe(application), "tell"));
        }
    }

    @Test
    void twoApplicationsShareNetty() throws Exception {
        try (URLClassLoader netty = Jars.loader(JDK, Jars.netty()); URLClassLoader first = application(netty);
                URLClassLoader second = application(netty)) {
            talk(probe(first), probe(second));
        }
    }

    @Test
    void twoApplicationsHaveANettyEach() throws Exception {
        try (URLClassLoader first = Jars.loader(JDK, Jars.netty(), Jars.transport(), Jars.PROBE);
                URLClassLoader second = Jars.loader(JDK, Jars.netty(), Jars.transport(), Jars.PROBE)) {
            talk(probe(first), probe(second));
        }
    }

    private void talk(Class<?> first, Class<?> second) throws Exception {
        assertNotSame(first, second);
        String path = folder.resolve("first").toString();
        String other = folder.resolve("second").toString();
        try (AutoCloseable server = (AutoCloseable) Jars.probe(first, "serve", path);
                AutoCloseable back = (AutoCloseable) Jars.probe(second, "serve", other)) {
            assertEquals("text+1", Jars.probe(second, "call", path));
            assertEquals("text+1", Jars.probe(first, "call", other));
        }
    }

    /** An application that is replaced while Netty stays. */
    @Test
    void theLibraryGoesWithItsClassLoader() throws Exception {
        try (URLClassLoader netty = Jars.loader(JDK, Jars.netty()); URLClassLoader other = application(netty)) {
            assertEquals(Jars.WORKS, Jars.probe(probe(other), "tell"));
            WeakReference<ClassLoader> replaced = new WeakReference<>(useAndClose(netty));
            for (int i = 0; replaced.get() != null && i < COLLECTIONS; i++) {
                System.gc();
                Thread.sleep(10);
            }
            assertEquals(null, replaced.get(), "something refers to a class loader that was closed");
            assertEquals(Jars.WORKS, Jars.probe(probe(other), "tell"), "the other application");
        }
    }

    private static ClassLoader useAndClose(ClassLoader netty) throws Exception {
        URLClassLoader application = application(netty);
        // In a thread of its own, which takes its thread locals with it.
        Thread user = new Thread(() -> {
            try {
                Jars.probe(probe(application), "tell");
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        user.start();
        user.join();
        application.close();
        return application;
    }

    @Test
    void theUnpackedLibrariesAreDeleted() throws Exception {
        assertEquals(Jars.WORKS, Jars.java("-Djava.io.tmpdir=" + folder, "-cp", Jars.path(Jars.netty(),
                Jars.transport(), Jars.PROBE), "loading.Probe"));
        try (var left = Files.list(folder)) {
            assertTrue(left.findAny().isEmpty());
        }
    }
}
