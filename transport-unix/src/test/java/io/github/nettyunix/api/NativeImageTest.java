package io.github.nettyunix.api;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.DefaultFileRegion;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * The metadata for GraalVM's native-image: the files list exactly what is looked up by name at run time.
 * If a test fails, its message contains what the file should be.
 */
@Tag("once")
class NativeImageTest {
    private static final Path FOLDER =
            Path.of("src/main/resources/META-INF/native-image/io.github.nettyunix/netty-transport-unix");
    /** What is only looked up by who uses it. */
    private static final String CONDITION = "{\"typeReachable\": \"io.github.nettyunix.internal.NativeTransport\"}";

    /** Does whatever makes the library look something up. */
    public static final class Program {
        public static void main(String[] arguments) throws Exception {
            UnixTransport.ensureAvailability();
            Class.forName("io.github.nettyunix.internal.socket.SentFile$Fields");
        }
    }

    @TempDir
    private Path folder;

    @Test
    @EnabledOnOs(OS.LINUX)
    void whatTheNativeLibraryLooksUpIsAccessible() throws Exception {
        Path trace = folder.resolve("trace");
        Path agent = Path.of(NativeImageTest.class.getResource("/libjni_trace.so").toURI());
        Process process = new ProcessBuilder(Jvm.command(Program.class, "-agentpath:" + agent + "=" + trace))
                .inheritIO().start();
        assertEquals(0, process.waitFor());

        SortedMap<String, SortedSet<String>> members = new TreeMap<>();
        SortedSet<String> registered = new TreeSet<>();
        for (String line : Files.readAllLines(trace)) {
            String[] words = line.split(" ");
            SortedSet<String> ofClass = members.computeIfAbsent(words[1].replace('/', '.'), name -> new TreeSet<>());
            if (words[0].equals("member")) {
                assertFalse(words[3].startsWith("("), "not rendered: " + line);
                ofClass.add("{\"name\": \"" + words[2] + "\"}");
            } else if (words[0].equals("native")) {
                registered.add(words[1]);
            }
        }
        assertFalse(registered.isEmpty());
        assertContent("jni-config.json", members.entrySet().stream().map(entry -> entry(entry.getKey(),
                entry.getValue().isEmpty() ? "" : "\"fields\": [" + String.join(", ", entry.getValue()) + "]")));
        Evidence.of("itself", "the metadata for native-image lists what the native library looks up");
    }

    @Test
    void whatIsReflectedOnIsListed() throws Exception {
        Map<String, String> entries = new TreeMap<>();
        for (JavaClass type : new ClassFileImporter()
                .importUrl(UnixTransport.class.getProtectionDomain().getCodeSource().getLocation())) {
            // Bootstraps call the constructor, and pipelines ask which methods of a handler are to be skipped.
            if (type.isAssignableTo(Channel.class) && type.getModifiers().contains(JavaModifier.PUBLIC)
                    && !type.getModifiers().contains(JavaModifier.ABSTRACT)) {
                entries.put(type.getName(), "\"methods\": [{\"name\": \"<init>\", \"parameterTypes\": []}]");
            } else if (type.isAssignableTo(ChannelHandler.class)) {
                entries.put(type.getName(), "\"queryAllPublicMethods\": true");
            }
        }
        for (String name : names(NativeTransport.class, "NEEDED_CLASSES")) {
            entries.put(name, "");
        }
        for (String name : names(SocketErrors.class, "IO_HANDLERS")) {
            entries.put(name, "");
        }
        entries.put(DefaultFileRegion.class.getName(), "\"methods\": [{\"name\": \"transferTo\","
                + " \"parameterTypes\": [\"java.nio.channels.WritableByteChannel\", \"long\"]}]");
        assertContent("reflect-config.json", entries.entrySet().stream()
                .map(entry -> entry(entry.getKey(), entry.getValue())));
    }

    @Test
    void resourcesAreIncluded() throws IOException {
        List<Pattern> patterns = Pattern.compile("\"pattern\": \"(.*)\"")
                .matcher(Files.readString(FOLDER.resolve("resource-config.json"))).results()
                .map(match -> Pattern.compile(match.group(1).replace("\\\\", "\\"))).toList();
        for (String resource : List.of("META-INF/native/libnettyunix_x86_64.so",
                "META-INF/native/libnettyunix_aarch_64.jnilib", "io/github/nettyunix/version.properties")) {
            assertEquals(1, patterns.stream().filter(pattern -> pattern.matcher(resource).matches()).count(), resource);
        }
        assertFalse(patterns.stream().anyMatch(pattern -> pattern.matcher(
                "META-INF/native/libnetty_transport_native_epoll_x86_64.so").matches()));
    }

    @Test
    void noClassIsInitializedWhenTheImageIsBuilt() throws IOException {
        assertTrue(Files.readString(FOLDER.resolve("native-image.properties"))
                .contains("Args = --initialize-at-run-time=io.github.nettyunix\n"));
    }

    private static String entry(String name, String access) {
        return "  {\n    \"condition\": " + CONDITION + ",\n    \"name\": \"" + name + '"'
                + (access.isEmpty() ? "" : ",\n    " + access) + "\n  }";
    }

    private static void assertContent(String file, Stream<String> entries) throws IOException {
        assertEquals(entries.collect(Collectors.joining(",\n", "[\n", "\n]\n")),
                Files.readString(FOLDER.resolve(file)));
    }

    @SuppressWarnings("unchecked")
    private static Iterable<String> names(Class<?> type, String field) throws ReflectiveOperationException {
        Field names = type.getDeclaredField(field);
        names.setAccessible(true);
        return (Iterable<String>) names.get(null);
    }
}
