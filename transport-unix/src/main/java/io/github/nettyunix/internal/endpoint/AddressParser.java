package io.github.nettyunix.internal.endpoint;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Parses addresses in the notations of other programs. */
public final class AddressParser {
    private static final String SCHEME = "unix:";
    private static final String ABSTRACT_SCHEME = "unix-abstract:";
    private static final String PATH_KEY = "path=";
    private static final String ABSTRACT_KEY = "abstract=";

    private final String text;

    private AddressParser(String text) {
        this.text = text;
    }

    /** Returns the bytes of the name: a path, or NUL and an abstract name. */
    public static byte[] parse(String text) {
        return new AddressParser(text).parse();
    }

    private byte[] parse() {
        if (text.startsWith("/")) {
            return path(text);
        }
        if (text.startsWith("@")) {
            return abstractName(text.substring(1));
        }
        if (text.startsWith(ABSTRACT_SCHEME)) {
            return abstractName(text.substring(ABSTRACT_SCHEME.length()));
        }
        if (!text.startsWith(SCHEME)) {
            throw wrong("write an absolute path, @name, unix:path or unix-abstract:name");
        }
        String rest = text.substring(SCHEME.length());
        if (rest.startsWith("//")) {
            return uriPath(rest.substring(2));
        }
        if (Arrays.stream(rest.split("[,;]")).anyMatch(AddressParser::hasName) && !rest.startsWith("/")
                && !rest.startsWith(".")) {
            return dbusAddress(rest);
        }
        if (rest.startsWith("@")) {
            // For some programs that is an abstract name, for others a file.
            throw wrong("write " + rest + " for an abstract name, or unix:./" + rest + " for a file");
        }
        return path(rest);
    }

    private static boolean hasName(String pair) {
        return pair.startsWith(PATH_KEY) || pair.startsWith(ABSTRACT_KEY);
    }

    private byte[] uriPath(String rest) {
        if (!rest.startsWith("/")) {
            throw wrong("unix:// is followed by an absolute path: a host, a user or a relative path mean "
                    + "nothing there");
        }
        if (rest.indexOf('?') >= 0 || rest.indexOf('#') >= 0) {
            throw wrong("a query or a fragment means nothing there; unix:" + rest + " is a file of this name");
        }
        return path(rest);
    }

    /** The keys and values of the D-Bus specification, "Server Addresses". */
    private byte[] dbusAddress(String rest) {
        if (rest.indexOf(';') >= 0) {
            throw wrong("it is a list of addresses");
        }
        byte[] address = null;
        for (String pair : rest.split(",")) {
            if (hasName(pair)) {
                if (address != null) {
                    throw wrong("it has more than one path or abstract name");
                }
                byte[] value = unescape(pair.substring(pair.indexOf('=') + 1));
                if (value.length == 0) {
                    throw wrong("it is empty");
                }
                address = pair.startsWith(PATH_KEY) ? path(value) : abstractName(value);
            }
        }
        return address;
    }

    private byte[] unescape(String value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) != '%') {
                int end = value.indexOf('%', i);
                String plain = value.substring(i, end < 0 ? value.length() : end);
                bytes.writeBytes(plain.getBytes(StandardCharsets.UTF_8));
                i += plain.length() - 1;
                continue;
            }
            int high = i + 2 < value.length() ? Character.digit(value.charAt(i + 1), 16) : -1;
            int low = i + 2 < value.length() ? Character.digit(value.charAt(i + 2), 16) : -1;
            if (high < 0 || low < 0) {
                throw wrong("% is followed by two hexadecimal digits");
            }
            bytes.write(high << 4 | low);
            i += 2;
        }
        return bytes.toByteArray();
    }

    private byte[] path(String path) {
        if (path.isEmpty()) {
            throw wrong("it is empty");
        }
        return path(encode(path));
    }

    private byte[] path(byte[] path) {
        for (byte b : path) {
            if (b == 0) {
                throw wrong("the path contains a NUL");
            }
        }
        return path;
    }

    private byte[] abstractName(String name) {
        if (name.isEmpty()) {
            throw wrong("it is empty");
        }
        return abstractName(encode(name));
    }

    private static byte[] abstractName(byte[] name) {
        byte[] bytes = new byte[name.length + 1];
        System.arraycopy(name, 0, bytes, 1, name.length);
        return bytes;
    }

    private byte[] encode(String name) {
        try {
            return NameEncoding.encode(name);
        } catch (IllegalArgumentException e) {
            throw wrong(e.getMessage());
        }
    }

    private IllegalArgumentException wrong(String why) {
        return new IllegalArgumentException("not the address of a Unix domain socket: \""
                + text.replace("\0", "\\0") + "\": " + why);
    }
}
