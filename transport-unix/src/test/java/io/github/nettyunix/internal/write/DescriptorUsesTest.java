package io.github.nettyunix.internal.write;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.LeakCheckExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The numbers of descriptors that are being sent keep referring to their files. */
@ExtendWith(LeakCheckExtension.class)
class DescriptorUsesTest {
    private static boolean isOpen(int number) {
        return Files.exists(Path.of("/proc/self/fd/" + number), LinkOption.NOFOLLOW_LINKS);
    }

    @Test
    void descriptorsClosedInBetweenStayOpenUntilTheyAreSent() throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(2);
        DescriptorUses uses = DescriptorUses.current();
        assertTrue(uses.begin(List.of(fds)));
        assertEquals(2, uses.count());
        Thread other = new Thread(fds[0]::release);
        other.start();
        other.join();
        assertFalse(fds[0].isOpen());
        assertTrue(isOpen(fds[0].intValue()));
        uses.end(0);
        assertFalse(isOpen(fds[0].intValue()));
        assertTrue(isOpen(fds[1].intValue()));
        fds[1].release();
    }

    @Test
    void noneIsUsedIfOneIsClosed() throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(3);
        DescriptorUses uses = DescriptorUses.current();
        assertTrue(uses.begin(fds[0]));
        fds[2].close();
        assertFalse(uses.begin(List.of(fds[1], fds[2])));
        assertEquals(1, uses.count());
        fds[1].release();
        assertFalse(isOpen(fds[1].intValue()));
        uses.end(0);
        fds[0].release();
        assertFalse(isOpen(fds[0].intValue()));
    }
}
