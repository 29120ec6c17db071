package io.github.nettyunix.netty;

import io.github.nettyunix.netty.Conformance.Inapplicable;
import io.netty.testsuite.transport.socket.SocketEchoTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.commons.annotation.Testable;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.ReflectionSupport;

import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Every test class of Netty's is run, or docs/conformance.md says why it cannot be. */
@Tag("once")
class ConformanceTest {
    /** The test classes of Netty's jars by their simple names; those that cannot be loaded here have no class. */
    private static final Map<String, Class<?>> TESTS = find();

    private static Map<String, Class<?>> find() {
        Map<String, Class<?>> tests = new HashMap<>();
        ClassLoader loader = ConformanceTest.class.getClassLoader();
        try {
            for (URL jar : List.of(SocketEchoTest.class.getProtectionDomain().getCodeSource().getLocation(),
                    loader.getResource("io/netty/channel/epoll/NativeTest.class"))) {
                String file = jar.getPath().replaceFirst("^file:", "").replaceFirst("!.*", "");
                try (JarFile entries = new JarFile(Path.of(file).toFile())) {
                    entries.stream().map(entry -> entry.getName()).filter(name -> name.matches("[^$]*Test\\.class"))
                            .map(name -> name.replace(".class", "").replace('/', '.'))
                            .forEach(name -> tests.put(name.substring(name.lastIndexOf('.') + 1), load(name, loader)));
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return tests;
    }

    private static Class<?> load(String name, ClassLoader loader) {
        try {
            Class<?> found = Class.forName(name, false, loader);
            ownTests(found);
            return found;
        } catch (ClassNotFoundException | NoClassDefFoundError e) {
            return null;
        }
    }

    private static List<Method> ownTests(Class<?> type) {
        return Stream.of(type.getDeclaredMethods())
                .filter(method -> AnnotationSupport.isAnnotated(method, Testable.class))
                .toList();
    }

    /** Returns what our test classes and their nested ones extend. */
    private static List<Class<?>> run() {
        List<Class<?>> run = new ArrayList<>();
        for (Class<?> ours : ReflectionSupport.findAllClassesInPackage(ConformanceTest.class.getPackageName(),
                type -> true, name -> true)) {
            for (Class<?> type = ours; type != null; type = type.getSuperclass()) {
                run.add(type);
            }
        }
        return run;
    }

    private static boolean isListed(String name) {
        return Inapplicable.LIST.stream().anyMatch(line -> line.test().equals(name));
    }

    /** Whether a class, or the one that it adds no tests to, is run or listed; or it has no tests at all. */
    private static boolean isAccountedFor(Class<?> type, List<Class<?>> run) {
        return type == Object.class || run.contains(type) || isListed(type.getSimpleName())
                || ownTests(type).isEmpty() && isAccountedFor(type.getSuperclass(), run);
    }

    @Test
    void everyTestIsRunOrListed() {
        List<Class<?>> run = run();
        TreeSet<String> missing = new TreeSet<>();
        TESTS.forEach((name, type) -> {
            if (type == null ? !isListed(name) : !isAccountedFor(type, run)) {
                missing.add(name);
            }
        });
        assertEquals(new TreeSet<>(), missing);
    }

    @Test
    void everythingListedExists() {
        assertFalse(Inapplicable.LIST.isEmpty());
        for (Inapplicable line : Inapplicable.LIST) {
            String[] test = line.test().split("\\.");
            assertTrue(TESTS.containsKey(test[0]) && (test.length == 1 || ownTests(TESTS.get(test[0])).stream()
                    .anyMatch(method -> method.getName().equals(test[1]))), line.test());
        }
    }
}
