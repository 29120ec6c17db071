package io.github.nettyunix.micrometer;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Compares the public API with its listings in {@code api/}, which are those of the library's test of this name. */
class PublicApiTest {
    private static final Path LISTINGS = Path.of("api");
    private static final Path CLASSES = Path.of("target/classes");

    @Test
    void nothingIsRemovedAndWhatIsAddedIsListed() throws Exception {
        SortedSet<String> listed = new TreeSet<>();
        for (Path file : filesIn(LISTINGS)) {
            listed.addAll(Files.readAllLines(file));
        }
        SortedSet<String> actual = new TreeSet<>();
        for (Path file : filesIn(CLASSES.resolve("io/github/nettyunix/micrometer"))) {
            String name = CLASSES.relativize(file).toString();
            if (name.endsWith(".class") && !name.endsWith("-info.class")) {
                Class<?> type = Class.forName(name.replaceAll("\\.class$", "").replace('/', '.'));
                if (isVisible(type.getModifiers())) {
                    describe(type, actual);
                }
            }
        }
        assertEquals("", lines(listed, actual), "Removed or changed, which breaks programs that use it\n");
        assertEquals("", lines(actual, listed), "Public, and not in api/. If it is meant to be, add to api/next.txt\n");
    }

    private static List<Path> filesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    private static String lines(SortedSet<String> lines, SortedSet<String> without) {
        return lines.stream().filter(line -> !without.contains(line)).map(line -> line + '\n')
                .collect(Collectors.joining());
    }

    private static boolean isVisible(int modifiers) {
        return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
    }

    private static void describe(Class<?> type, SortedSet<String> lines) {
        lines.add(type.toGenericString());
        lines.add(type.getName() + " extends " + type.getGenericSuperclass().getTypeName());
        for (Type supertype : type.getGenericInterfaces()) {
            lines.add(type.getName() + " implements " + supertype.getTypeName());
        }
        Stream.<Member[]>of(type.getDeclaredFields(), type.getDeclaredMethods(), type.getDeclaredConstructors())
                .flatMap(Arrays::stream).filter(member -> isVisible(member.getModifiers()) && !member.isSynthetic())
                .map(member -> member instanceof Executable executable ? executable.toGenericString()
                        : ((Field) member).toGenericString())
                .forEach(lines::add);
    }
}
