package io.github.nettyunix.internal.socket;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.Jvm;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The receive slots are address space, of which only what messages touch becomes memory. */
@Tag("once")
class NativeMemoryTest {
    private static final List<String> AS_NOBODY = List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search");
    private static final int BLOCK = 1 << 20;

    @BeforeEach
    void load() {
        UnixTransport.ensureAvailability();
    }

    /** Returns a line of what the kernel reports about a mapping, such as {@code Rss}. */
    private static String fact(NativeMemory memory, String name) throws IOException {
        boolean found = false;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                String[] range = line.substring(0, line.indexOf(' ')).split("-");
                found = Long.parseUnsignedLong(range[0], 16) <= memory.address()
                        && Long.parseUnsignedLong(range[1], 16) >= memory.address() + memory.size();
            } else if (found && line.startsWith(name + ':')) {
                return line.substring(name.length() + 1).trim();
            }
        }
        throw new AssertionError("no " + name + " of " + Long.toHexString(memory.address()));
    }

    private static int kilobytes(NativeMemory memory) throws IOException {
        return Integer.parseInt(fact(memory, "Rss").split(" ")[0]);
    }

    @Test
    void memoryIsNeverTakenInHugePages() throws Exception {
        NativeMemory memory = NativeMemory.reserve(BLOCK, 32);
        try {
            List<String> flags = List.of(fact(memory, "VmFlags").split(" "));
            assertTrue(flags.contains("nh"), flags::toString);
        } finally {
            memory.free();
        }
    }

    @Test
    void pagesThatAreGivenBackReadAsZero() throws Exception {
        NativeMemory memory = NativeMemory.reserve(BLOCK, 2);
        try {
            for (int i = 0; i < 2 * BLOCK; i += Long.BYTES) {
                memory.buffer(0, 2 * BLOCK).putLong(i, -1);
            }
            int before = kilobytes(memory);
            // Pages that are only partly in the range keep their content.
            memory.discard(1, BLOCK);
            assertTrue(kilobytes(memory) <= before - (BLOCK - Platform.pageSize()) / 1024, () -> "resident before: "
                    + before);
            assertEquals(-1, memory.buffer(0, 8).getLong(0));
            assertEquals(0, memory.buffer(Platform.pageSize(), 8).getLong(0));
            assertEquals(-1, memory.buffer(BLOCK, 8).getLong(0));
        } finally {
            memory.free();
        }
    }

    /**
     * Locks all memory that it maps, then maps some, and prints how much of it is present before and after touching two
     * pages.
     */
    static final class Locked {
        public static void main(String[] arguments) throws Exception {
            UnixTransport.ensureAvailability();
            // Loads classes and buffers before memory becomes scarce.
            NativeMemory other = NativeMemory.reserve(4096, 1);
            kilobytes(other);
            System.out.println("ready");
            System.load(Path.of(Locked.class.getResource("/libmlockall.so").toURI()).toString());
            try {
                NativeMemory memory = NativeMemory.reserve(Integer.parseInt(arguments[0]), 4);
                int page = Platform.pageSize();
                int untouched = kilobytes(memory);
                memory.buffer(0, 1).put(0, (byte) 1);
                memory.buffer(2L * page, 1).put(0, (byte) 1);
                int touched = kilobytes(memory);
                boolean locked = List.of(fact(memory, "VmFlags").split(" ")).contains("lo");
                memory.discard(0, memory.size());
                System.out.println(untouched + " " + touched * 1024 / page + " " + locked + " " + kilobytes(memory));
            } catch (OutOfMemoryError e) {
                System.out.println(e.getMessage());
            }
            Runtime.getRuntime().halt(0);
        }
    }

    private static String run(List<String> prefix, int block) throws Exception {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(Jvm.command(Locked.class));
        command.add("" + block);
        java.lang.Process child = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String output = new String(child.getInputStream().readAllBytes());
        assertTrue(child.waitFor(10, TimeUnit.SECONDS));
        assertEquals(0, child.exitValue(), output);
        return output;
    }

    @Test
    void processThatLocksItsMemoryPaysForTouchedPagesOnly() throws Exception {
        assertEquals("ready\n0 2 true 0\n", run(List.of(), BLOCK));
    }

    @Test
    void processThatMayNotLockSoMuchReadsWhy() throws Exception {
        List<String> prefix = new ArrayList<>(UnixCredentials.ofThisProcess().uid() == 0 ? AS_NOBODY : List.of());
        prefix.addAll(List.of("prlimit", "--memlock=8388608"));
        assertEquals("""
                ready
                mmap of 16777216 bytes: EAGAIN (Resource temporarily unavailable): mlockall(MCL_FUTURE) locks what is \
                mapped, and RLIMIT_MEMLOCK does not allow so much
                """, run(prefix, 16 * BLOCK));
    }
}
