package loading;

import org.apache.felix.framework.FrameworkFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.wiring.FrameworkWiring;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Bundles in Apache Felix: Netty's, the library, and an application. */
class OsgiTest {
    private static final String APPLICATION = """
            Bundle-ManifestVersion: 2
            Bundle-SymbolicName: application
            Import-Package: io.github.nettyunix,io.netty.bootstrap,io.netty.buffer,io.netty.channel,io.netty.util,
             io.netty.util.concurrent
            """;

    @TempDir
    private Path folder;
    private Framework framework;

    @BeforeEach
    void start() throws Exception {
        framework = new FrameworkFactory().newFramework(Map.of(Constants.FRAMEWORK_STORAGE,
                folder.resolve("storage").toString()));
        framework.start();
    }

    @AfterEach
    void stop() throws Exception {
        framework.stop();
        framework.waitForStop(0);
    }

    private Bundle install(Path jar) throws Exception {
        return framework.getBundleContext().installBundle(jar.toUri().toString());
    }

    private void installNetty(String except) throws Exception {
        for (Path jar : Jars.netty()) {
            if (!jar.toString().contains(except)) {
                install(jar);
            }
        }
    }

    private Class<?> probe() throws Exception {
        Bundle application = install(Jars.write(folder.resolve("application.jar"), APPLICATION, "", Jars.PROBE));
        application.start();
        return application.loadClass("loading.Probe");
    }

    @Test
    void aBundleUsesTheTransport() throws Exception {
        installNetty("none");
        install(Jars.transport()).start();
        assertEquals(Jars.WORKS, Jars.probe(probe(), "tell"));
    }

    /** The jar with the classifier of a platform is a fragment of the one without libraries. */
    @Test
    void theLibraryIsInAFragment() throws Exception {
        installNetty("none");
        List<Object> classes = new ArrayList<>();
        List<Object> natives = new ArrayList<>();
        ByteArrayOutputStream manifest = new ByteArrayOutputStream();
        try (JarFile jar = new JarFile(Jars.transport().toFile())) {
            jar.getManifest().write(manifest);
            for (JarEntry entry : Collections.list(jar.entries())) {
                if (!entry.isDirectory() && !entry.getName().equals(JarFile.MANIFEST_NAME)) {
                    List<Object> entries = entry.getName().startsWith("META-INF/native/") ? natives : classes;
                    entries.add(entry.getName());
                    entries.add(jar.getInputStream(entry).readAllBytes());
                }
            }
        }
        Path fragment = Jars.write(folder.resolve("fragment.jar"), """
                Bundle-ManifestVersion: 2
                Bundle-SymbolicName: io.github.nettyunix.linux.x86_64
                Fragment-Host: io.github.nettyunix
                """, natives.toArray());
        Path host = Jars.write(folder.resolve("classes.jar"),
                manifest.toString(StandardCharsets.UTF_8).substring("Manifest-Version: 1.0\r\n".length()),
                classes.toArray());
        install(fragment);
        install(host).start();
        assertEquals(Jars.WORKS, Jars.probe(probe(), "tell"));
    }

    @Test
    void theBundleIsReplaced() throws Exception {
        installNetty("none");
        Bundle transport = install(Jars.transport());
        Class<?> before = probe();
        assertEquals(Jars.WORKS, Jars.probe(before, "tell"));
        transport.update(Jars.transport().toUri().toURL().openStream());
        CountDownLatch refreshed = new CountDownLatch(1);
        framework.adapt(FrameworkWiring.class).refreshBundles(List.of(transport), event -> {
            if (event.getType() == FrameworkEvent.PACKAGES_REFRESHED) {
                refreshed.countDown();
            }
        });
        refreshed.await();
        Bundle application = framework.getBundleContext().getBundle(folder.resolve("application.jar").toUri()
                .toString());
        Class<?> after = application.loadClass("loading.Probe");
        assertNotSame(before, after);
        assertEquals(Jars.WORKS, Jars.probe(after, "tell"));
    }

    @Test
    void theSelectorsAreOptional() throws Exception {
        installNetty("epoll");
        install(Jars.transport()).start();
        assertTrue(Jars.probe(probe(), "tell").toString().startsWith("unavailable: netty-transport-classes-epoll is"));
    }

    @Test
    void internalsAreNotExported() throws Exception {
        installNetty("none");
        Bundle transport = install(Jars.transport());
        transport.start();
        try (JarFile jar = new JarFile(Jars.transport().toFile())) {
            String exported = jar.getManifest().getMainAttributes().getValue(Constants.EXPORT_PACKAGE);
            assertTrue(exported.contains("io.github.nettyunix.handler"), exported);
            assertFalse(exported.contains("internal"), exported);
        }
    }

    /** Netty 4.1's bundles do not satisfy the ranges of Import-Package. */
    @Test
    void anOlderNettyDoesNotResolve() throws Exception {
        for (Path jar : Jars.netty("netty.4.1")) {
            install(jar);
        }
        Bundle transport = install(Jars.transport());
        String message = assertThrows(org.osgi.framework.BundleException.class, transport::start).getMessage();
        assertTrue(message.contains("io.netty."), message);
    }
}
