package io.github.nettyunix.address;

import io.github.nettyunix.UnixSocketAddress;
import io.netty.channel.unix.DomainSocketAddress;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
        assertEquals("unnamed", UnixSocketAddress.unnamed().toString());
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
                // All kinds of bytes in UTF-8: ASCII, leading, trailing, and those that never occur.
                int[] chosen = {0, 'a', 0x80, 0xBF, 0xC3, 0xE2, 0xED, 0xA0, 0xF0, 0xFF, 0xB3, 0x9F};
                name[k] = (byte) chosen[random.nextInt(chosen.length)];
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
    void bytesAreAnAddress() {
        assertEquals(UnixSocketAddress.of("/a"), UnixSocketAddress.ofBytes(new byte[] {'/', 'a'}));
        assertEquals(UnixSocketAddress.ofAbstract("a"), UnixSocketAddress.ofBytes(new byte[] {0, 'a'}));
        assertSame(UnixSocketAddress.unnamed(), UnixSocketAddress.ofBytes(new byte[0]));
        assertEquals("/\\xff", UnixSocketAddress.ofBytes(new byte[] {'/', (byte) 0xFF}).toString());
        assertThrows(IllegalArgumentException.class, () -> UnixSocketAddress.ofBytes(new byte[] {'/', 'a', 0}));
        assertThrows(NullPointerException.class, () -> UnixSocketAddress.ofBytes(null));
        byte[] bytes = {'/', 'a'};
        UnixSocketAddress address = UnixSocketAddress.ofBytes(bytes);
        bytes[1] = 'b';
        assertArrayEquals(new byte[] {'/', 'a'}, address.bytes());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            /run/app.sock                          | /run/app.sock
            unix:/run/app.sock                     | /run/app.sock
            unix:app.sock                          | app.sock
            unix:./app.sock                        | ./app.sock
            unix:///run/app.sock                   | /run/app.sock
            unix:/a%20b                            | /a%20b
            /run/a,path=b;c                        | /run/a,path=b;c
            @name                                  | @name
            @a/b                                   | @a/b
            unix-abstract:name                     | @name
            unix:path=/run/user/0/bus              | /run/user/0/bus
            unix:path=/run/bus,guid=ab12           | /run/bus
            unix:guid=ab12,path=/run/bus           | /run/bus
            unix:abstract=/tmp/dbus-XY,guid=ab12   | @/tmp/dbus-XY
            unix:path=/run/a%2cb%C3%bc             | /run/a,bü
            unix:./path=x                          | ./path=x
            """)
    void commonNotationsOfAddressesAreParsed(String text, String expected) {
        assertEquals(expected, UnixSocketAddress.parse(text).toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ''                         | write an absolute path, @name, unix:path or unix-abstract:name
            app.sock                   | write an absolute path, @name, unix:path or unix-abstract:name
            localhost:8080             | write an absolute path, @name, unix:path or unix-abstract:name
            tcp:host=localhost         | write an absolute path, @name, unix:path or unix-abstract:name
            http://localhost/          | write an absolute path, @name, unix:path or unix-abstract:name
            @                          | it is empty
            unix:                      | it is empty
            unix-abstract:             | it is empty
            unix://                    | unix:// is followed by an absolute path: a host, a user or a relative path \
            mean nothing there
            unix://host/run/app.sock   | unix:// is followed by an absolute path: a host, a user or a relative path \
            mean nothing there
            unix:///run/redis?db=1     | a query or a fragment means nothing there; unix:/run/redis?db=1 \
            is a file of this name
            unix:@name                 | write @name for an abstract name, or unix:./@name for a file
            unix:path=/a;unix:path=/b  | it is a list of addresses
            unix:path=/a,abstract=b    | it has more than one path or abstract name
            unix:path=                 | it is empty
            unix:path=/a%2             | % is followed by two hexadecimal digits
            unix:path=/a%zz            | % is followed by two hexadecimal digits
            """)
    void whatNamesNoSocketIsRefusedWithTheReason(String text, String why) {
        assertEquals("not the address of a Unix domain socket: \"" + text + "\": " + why,
                assertThrows(IllegalArgumentException.class, () -> UnixSocketAddress.parse(text)).getMessage());
    }

    @Test
    void whatIsParsedContainsNoNulAndNoHalfCharacter() {
        for (String text : new String[] {"/a\0b", "\0a", "unix:a\0", "unix:path=/a%00b", "unix:path=%00a"}) {
            String shown = text.replace("\0", "\\0");
            String message = assertThrows(IllegalArgumentException.class, () -> UnixSocketAddress.parse(text))
                    .getMessage();
            assertTrue(message.startsWith("not the address of a Unix domain socket: \"" + shown + "\": "), message);
        }
        for (String text : new String[] {"/\uD800", "@\uD800", "unix:\uD800"}) {
            String message = assertThrows(IllegalArgumentException.class, () -> UnixSocketAddress.parse(text))
                    .getMessage();
            assertTrue(message.contains("surrogate"), message);
        }
    }

    @Test
    void anotherFamilyIsRefusedByName() {
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                () -> UnixSocketAddress.from(InetSocketAddress.createUnresolved("localhost", 80)));
        assertTrue(refused.getMessage().contains("localhost"), refused.getMessage());
        assertThrows(NullPointerException.class, () -> UnixSocketAddress.from(null));
    }

    @Test
    void changingTheReturnedBytesDoesNotChangeTheAddress() {
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
