package io.github.nettyunix.testing;

import io.github.nettyunix.UnixFileDescriptor;
import io.netty.buffer.Unpooled;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.fail;

/** What this process has open. */
public final class Descriptors {
    private static final long DEADLINE_MILLIS = 5_000;

    private final Map<Integer, String> before = open();

    private Descriptors() {
    }

    /** Remembers what is open now. */
    public static Descriptors now() {
        Loops.group();
        return new Descriptors();
    }

    /** Returns descriptors to be sent, each of a small file of its own. */
    public static UnixFileDescriptor[] some(int count) throws IOException {
        UnixFileDescriptor[] fds = new UnixFileDescriptor[count];
        for (int i = 0; i < count; i++) {
            fds[i] = UnixFileDescriptor.memfd("file " + i, Unpooled.copiedBuffer("file " + i, StandardCharsets.UTF_8));
        }
        return fds;
    }

    /** Returns what {@link #some} has written to the file. */
    public static String text(UnixFileDescriptor fd) throws IOException {
        try (FileChannel file = fd.toFileChannel(StandardOpenOption.READ)) {
            ByteBuffer content = ByteBuffer.allocate(64);
            file.read(content, 0);
            return new String(content.array(), 0, content.position(), StandardCharsets.UTF_8);
        }
    }

    /** How many of them are open. */
    public static int countOpen(UnixFileDescriptor... fds) {
        return (int) Stream.of(fds).filter(UnixFileDescriptor::isOpen).count();
    }

    /** What is open, by number. */
    public static Map<Integer, String> open() {
        Map<Integer, String> result = new TreeMap<>();
        try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            for (Path link : (Iterable<Path>) links::iterator) {
                try {
                    result.put(Integer.valueOf(link.getFileName().toString()), Files.readSymbolicLink(link).toString());
                } catch (IOException e) {
                    // It was the descriptor of the folder itself.
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        // The folder itself, and what the JVM opens when it loads a class or reads its memory limit.
        result.values().removeIf(target -> target.startsWith("/proc/") || target.startsWith("/sys/")
                || target.endsWith(".jar") || target.endsWith("random"));
        return result;
    }

    /** Waits until exactly the same is open as then: event loops may still have to close something. */
    public void assertUnchanged() {
        long deadline = System.currentTimeMillis() + DEADLINE_MILLIS;
        Map<Integer, String> now = open();
        while (!now.equals(before)) {
            if (System.currentTimeMillis() > deadline) {
                Map<Integer, String> left = new TreeMap<>(now);
                left.entrySet().removeAll(before.entrySet());
                Map<Integer, String> gone = new TreeMap<>(before);
                gone.entrySet().removeAll(now.entrySet());
                fail("descriptors left open: " + left + ", closed though not ours: " + gone);
            }
            LockSupport.parkNanos(1_000_000);
            now = open();
        }
    }
}
