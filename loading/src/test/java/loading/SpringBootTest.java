package loading;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Jars in a jar, which Spring Boot's class loader reads. */
class SpringBootTest {
    private static final String MANIFEST = """
            Main-Class: org.springframework.boot.loader.launch.JarLauncher
            Start-Class: loading.Probe
            Spring-Boot-Version: 4
            Spring-Boot-Classes: BOOT-INF/classes/
            Spring-Boot-Lib: BOOT-INF/lib/
            """;

    @TempDir
    private Path folder;

    @Test
    void theLibraryIsInANestedJar() throws Exception {
        List<Object> entries = new ArrayList<>();
        try (JarFile loader = new JarFile(Jars.springBootLoader().toFile())) {
            for (var entry : (Iterable<java.util.jar.JarEntry>) loader.stream()
                    .filter(each -> each.getName().endsWith(".class"))::iterator) {
                entries.add(entry.getName());
                entries.add(loader.getInputStream(entry).readAllBytes());
            }
        }
        entries.addAll(List.of("BOOT-INF/classes/", Jars.PROBE));
        for (Path jar : Stream.concat(Jars.netty().stream(), Stream.of(Jars.transport())).toList()) {
            entries.addAll(List.of("BOOT-INF/lib/" + jar.getFileName(), Files.readAllBytes(jar)));
        }
        Path application = Jars.write(folder.resolve("application.jar"), MANIFEST, entries.toArray());
        assertEquals(Jars.WORKS, Jars.java("-jar", application.toString()));
    }
}
