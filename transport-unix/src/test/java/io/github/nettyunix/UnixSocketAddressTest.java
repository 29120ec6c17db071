package io.github.nettyunix;

import io.netty.channel.unix.DomainSocketAddress;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

@Tag("once")
class UnixSocketAddressTest {
    @Test
    void aPathIsItsBytes() {
        UnixSocketAddress address = UnixSocketAddress.of("/run/grüße.sock");
        assertTrue(address.isPathname());
        assertFalse(address.isAbstract());
        assertFalse(address.isUnnamed());
        assertEquals("/run/grüße.sock", address.path());
        assertArrayEquals("/run/grüße.sock".getBytes(UTF_8), address.bytes());
        assertEquals("/run/grüße.sock", address.toString());
        assertEquals(UnixSocketAddress.of("/run/app.sock"), UnixSocketAddress.of(Path.of("/run/app.sock")));
    }

    @Test
    void anAbstractNameBeginsWithNul() {
        UnixSocketAddress address = UnixSocketAddress.ofAbstract("name");
        assertTrue(address.isAbstract());
        assertFalse(address.isPathname());
        assertEquals("\0name", address.path());
        assertArrayEquals("\0name".getBytes(UTF_8), address.bytes());
        assertEquals("@name", address.toString());
        assertEquals(address, UnixSocketAddress.of("\0name"));
        assertEquals("@", UnixSocketAddress.ofAbstract("").toString());
    }

    @Test
    void noNameIsAnAddressToo() {
        assertTrue(UnixSocketAddress.unnamed().isUnnamed());
        assertEquals("", UnixSocketAddress.unnamed().path());
        assertEquals(UnixSocketAddress.unnamed(), UnixSocketAddress.autobind());
        assertEquals(0, UnixSocketAddress.unnamed().bytes().length);
    }

    @Test
    void addressesAreEqualToNettysInBothDirections() {
        for (String path : new String[] {"/a", "\0b", "ü"}) {
            DomainSocketAddress netty = new DomainSocketAddress(path);
            UnixSocketAddress ours = UnixSocketAddress.from(netty);
            assertEquals(netty, ours);
            assertEquals(ours, netty);
            assertEquals(netty.hashCode(), ours.hashCode());
        }
        assertSame(UnixSocketAddress.unnamed(), UnixSocketAddress.from(new DomainSocketAddress("")));
        assertEquals(UnixSocketAddress.of("/a"), UnixSocketAddress.from(UnixDomainSocketAddress.of("/a")));
    }

    @Test
    void differentBytesAreDifferentAddresses() {
        Random random = new Random(42);
        Map<String, byte[]> seen = new HashMap<>();
        for (int i = 0; i < 20_000; i++) {
            byte[] name = new byte[random.nextInt(12)];
            for (int k = 0; k < name.length; k++) {
                // Bytes from all over UTF-8's tables: ASCII, leading, trailing, and those that never occur.
                name[k] = (byte) new int[] {0, 'a', 0x80, 0xBF, 0xC3, 0xE2, 0xED, 0xA0, 0xF0, 0xFF, 0xB3, 0x9F}[random.nextInt(12)];
            }
            UnixSocketAddress address = UnixSocketAddress.ofAbstract(name);
            byte[] bytes = address.bytes();
            assertEquals(name.length + 1, bytes.length);
            byte[] before = seen.putIfAbsent(address.path(), bytes);
            if (before != null) {
                assertArrayEquals(before, bytes);
            }
            assertArrayEquals(bytes, UnixSocketAddress.of(address.path()).bytes());
        }
    }

    @Test
    void bytesThatAreNoTextAreShownInHex() {
        assertEquals("@a\\xff\\x00b", UnixSocketAddress.ofAbstract(new byte[] {'a', (byte) 0xFF, 0, 'b'}).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/a\0b", "/\uD800"})
    void whatIsNoPathIsRefused(String path) {
        assertThrows(IllegalArgumentException.class, () -> UnixSocketAddress.of(path));
    }

    @Test
    void anotherFamilyIsRefusedByName() {
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                () -> UnixSocketAddress.from(InetSocketAddress.createUnresolved("localhost", 80)));
        assertTrue(refused.getMessage().contains("localhost"), refused.getMessage());
        assertThrows(NullPointerException.class, () -> UnixSocketAddress.from(null));
    }

    @Test
    void whoeverGetsTheBytesCannotChangeTheAddress() {
        byte[] name = {'x'};
        UnixSocketAddress address = UnixSocketAddress.ofAbstract(name);
        name[0] = 'y';
        address.bytes()[1] = 'z';
        assertEquals("@x", address.toString());
        assertNotEquals(UnixSocketAddress.ofAbstract("y"), address);
    }

    @Test
    void anAddressSurvivesSerialization() throws Exception {
        UnixSocketAddress address = UnixSocketAddress.ofAbstract(new byte[] {1, (byte) 0xFE});
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new ObjectOutputStream(out).writeObject(address);
        UnixSocketAddress read = (UnixSocketAddress) new ObjectInputStream(
                new ByteArrayInputStream(out.toByteArray())).readObject();
        assertEquals(address, read);
        assertArrayEquals(address.bytes(), read.bytes());
    }
}
