package io.github.nettyunix.api;

import io.github.nettyunix.UnixTransport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * Compares the public API with its listings in {@code api/}: a file for each release, which never changes again, and
 * {@code next.txt} for what has been added since.
 */
@Tag("once")
class PublicApiTest {
    private static final Path LISTINGS = Path.of("api");
    private static final Path CLASSES = classes();

    @Test
    void nothingIsRemovedAndWhatIsAddedIsListed() throws Exception {
        SortedSet<String> listed = new TreeSet<>();
        try (Stream<Path> files = Files.list(LISTINGS)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                listed.addAll(Files.readAllLines(file));
            }
        }
        SortedSet<String> actual = new TreeSet<>();
        for (String folder : List.of("", "handler", "process")) {
            for (Class<?> type : publicTypes(CLASSES.resolve("io/github/nettyunix").resolve(folder))) {
                describe(type, actual);
            }
        }
        assertEquals("", lines(listed, actual), "Removed or changed, which breaks programs that use it\n");
        assertEquals("", lines(actual, listed), "Public, and not in api/. If it is meant to be, add to api/next.txt\n");
    }

    private static String lines(SortedSet<String> lines, SortedSet<String> without) {
        return lines.stream().filter(line -> !without.contains(line)).map(line -> line + '\n')
                .collect(Collectors.joining());
    }

    private static Path classes() {
        try {
            return Path.of(UnixTransport.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Class<?>> publicTypes(Path folder) throws IOException, ClassNotFoundException {
        List<Class<?>> types = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : (Iterable<Path>) files.sorted()::iterator) {
                String name = CLASSES.relativize(file).toString();
                if (name.endsWith(".class") && !name.endsWith("-info.class")) {
                    Class<?> type = Class.forName(name.replaceAll("\\.class$", "").replace('/', '.'), false,
                            PublicApiTest.class.getClassLoader());
                    if (isPublic(type)) {
                        types.add(type);
                    }
                }
            }
        }
        return types;
    }

    private static boolean isPublic(Class<?> type) {
        return isVisible(type.getModifiers()) && (type.getDeclaringClass() == null
                || isPublic(type.getDeclaringClass()));
    }

    private static boolean isVisible(int modifiers) {
        return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
    }

    private static void describe(Class<?> type, SortedSet<String> lines) {
        lines.add(type.toGenericString());
        // Classes that users cannot name are not listed, but what they inherit from those is.
        for (Class<?> c = type; c != null && c.getName().startsWith("io.github.nettyunix."); c = c.getSuperclass()) {
            if (c != type && isPublic(c)) {
                lines.add(type.getName() + " extends " + c.getName());
                return;
            }
            for (Type supertype : c.getGenericInterfaces()) {
                lines.add(type.getName() + " implements " + supertype.getTypeName());
            }
            Stream.of(c.getDeclaredFields(), c.getDeclaredMethods(), c == type ? c.getDeclaredConstructors() : null)
                    .filter(members -> members != null).flatMap(Arrays::stream)
                    .filter(member -> isVisible(member.getModifiers()) && !member.isSynthetic())
                    .map(member -> describe(type, member)).forEach(lines::add);
            Type superclass = c.getGenericSuperclass();
            if (superclass != null && !superclass.getTypeName().startsWith("io.github.nettyunix.")) {
                lines.add(type.getName() + " extends " + superclass.getTypeName());
            }
        }
    }

    private static String describe(Class<?> type, Member member) {
        String description = member instanceof Executable executable ? executable.toGenericString()
                : ((Field) member).toGenericString();
        // Where a member is declared, and these modifiers, do not matter to users.
        return description.replace(member.getDeclaringClass().getName() + '.' + member.getName(),
                        type.getName() + '.' + member.getName())
                .replaceFirst("^(.*?)\\b(synchronized|native) ", "$1");
    }
}
