package io.github.nettyunix.internal.socket;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Strings in the form that system calls expect: bytes that end with a NUL. */
public final class CString {
    private CString() {
    }

    /** Returns the string in UTF-8, with a NUL at its end. */
    public static byte[] of(String string) {
        return of(string.getBytes(StandardCharsets.UTF_8));
    }

    /** Returns a copy of the bytes, with a NUL at its end. */
    public static byte[] of(byte[] bytes) {
        return Arrays.copyOf(bytes, bytes.length + 1);
    }
}
