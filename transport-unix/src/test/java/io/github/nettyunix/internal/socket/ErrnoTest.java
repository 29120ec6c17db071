package io.github.nettyunix.internal.socket;

import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.Python;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.util.Set;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Errors have their names and texts. */
@Tag("once")
class ErrnoTest {
    private static final int LAST = 133;
    /** Numbers that Linux has left out where EWOULDBLOCK and EDEADLOCK were. */
    private static final Set<Integer> UNUSED = Set.of(41, 58);

    @BeforeEach
    void load() {
        UnixTransport.ensureAvailability();
    }

    @Test
    void everyErrorOfLinuxHasANameAndAText() {
        for (int errno = 1; errno <= LAST; errno++) {
            if (UNUSED.contains(errno)) {
                assertNull(Errno.name(errno));
            } else {
                String name = Errno.name(errno);
                assertNotNull(name, "errno " + errno);
                assertEquals(errno, Platform.errorNumber(name));
                assertFalse(Errno.message(errno).startsWith("Unknown error"), name);
            }
        }
        assertNull(Errno.name(0));
        assertNull(Errno.name(LAST + 1));
        assertNull(Errno.name(-1));
        assertEquals(-1, Platform.errorNumber("ENOSUCHERROR"));
        // Which other systems have.
        assertEquals(-1, Platform.errorNumber("EFTYPE"));
    }

    @Test
    void namesAreThoseOfCPython() throws Exception {
        try (Python python = Python.run("""
                import errno
                for name in dir(errno):
                    if name.startswith('E'):
                        print(name, getattr(errno, name))
                print('end')
                """)) {
            int count = 0;
            for (String line = python.line(); !line.equals("end"); line = python.line()) {
                String[] parts = line.split(" ");
                if (!Set.of("EWOULDBLOCK", "EDEADLOCK").contains(parts[0])) {
                    assertEquals(Integer.parseInt(parts[1]), Platform.errorNumber(parts[0]), parts[0]);
                    count++;
                }
            }
            assertTrue(count > 100, "only " + count);
        }
    }
}
