package io.github.nettyunix.fuzz;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.endpoint.AddressParser;
import io.github.nettyunix.internal.endpoint.NameEncoding;

import java.nio.charset.StandardCharsets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

/** Names as text, and addresses in the notations of other programs. */
public final class AddressFuzzer {
    private AddressFuzzer() {
    }

    public static void fuzzerTestOneInput(byte[] input) {
        assertArrayEquals(input, NameEncoding.encode(NameEncoding.decode(input)));
        String text = new String(input, StandardCharsets.UTF_8);
        byte[] name;
        try {
            name = AddressParser.parse(text);
        } catch (IllegalArgumentException refused) {
            return;
        }
        // Otherwise it would be a socket without a name.
        assertNotEquals(0, name.length);
        boolean isAbstract = name[0] == 0;
        for (int i = 1; i < name.length && !isAbstract; i++) {
            assertNotEquals(0, name[i], "the kernel would end the path there");
        }
        UnixSocketAddress address = UnixSocketAddress.parse(text);
        assertArrayEquals(name, address.bytes());
        assertEquals(isAbstract, address.isAbstract());
        assertEquals(address, UnixSocketAddress.ofBytes(name));
        if (text.startsWith("/") || text.startsWith("@")) {
            assertEquals(text, NameEncoding.decode(name).replaceFirst("^\0", "@"));
        }
    }
}
