package io.github.nettyunix;

import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.internal.ObjectUtil;

import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The address of an AF_UNIX socket: a path in the file system, an abstract name (Linux), or nothing. It is exact to the
 * byte, also where the bytes are no text. Immutable.
 *
 * <p>{@link #path()} is the name as UTF-8 text, each byte that is none written as one of the characters U+DC80 to
 * U+DCFF; an abstract name begins with NUL. Equal names have equal paths and different names different ones, so that
 * addresses of this class and of Netty's {@link DomainSocketAddress} are equal when they mean the same.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, "Address format"
 */
public final class UnixSocketAddress extends DomainSocketAddress {
    private static final long serialVersionUID = 1;

    private static final UnixSocketAddress UNNAMED = new UnixSocketAddress(new byte[0]);
    private static final UnixSocketAddress AUTOBIND = new UnixSocketAddress(new byte[0]);

    /** What sun_path holds. */
    private final byte[] name;

    private UnixSocketAddress(byte[] name) {
        super(decode(name));
        this.name = name;
    }

    /**
     * The address of a socket file.
     *
     * @param path where it is; a string that begins with NUL is an abstract name, as it is for Netty
     * @return the address
     * @throws IllegalArgumentException if the path is empty or contains a NUL further on
     */
    public static UnixSocketAddress of(String path) {
        if (path.isEmpty()) {
            throw new IllegalArgumentException("the path of a socket is empty");
        }
        if (path.charAt(0) != 0 && path.indexOf(0) > 0) {
            throw new IllegalArgumentException("the path of a socket contains a NUL: " + path.replace("\0", "\\0"));
        }
        return new UnixSocketAddress(encode(path));
    }

    /**
     * The address of a socket file.
     *
     * @param path where it is, on the default file system
     * @return the address
     */
    public static UnixSocketAddress of(Path path) {
        return of(path.toString());
    }

    /**
     * An abstract name, which exists without a file for as long as a socket is bound to it. Linux only.
     *
     * @param name the name without the NUL that marks it as abstract
     * @return the address
     */
    public static UnixSocketAddress ofAbstract(String name) {
        return ofAbstract(encode(name));
    }

    /**
     * An abstract name of any bytes, NUL included. Linux only.
     *
     * @param name the name without the NUL that marks it as abstract
     * @return the address
     */
    public static UnixSocketAddress ofAbstract(byte[] name) {
        byte[] bytes = new byte[name.length + 1];
        System.arraycopy(name, 0, bytes, 1, name.length);
        return new UnixSocketAddress(bytes);
    }

    /**
     * The address whose name has these bytes, as {@link #bytes()} returns them and the kernel keeps them in
     * {@code sun_path}.
     *
     * @param name a path without a final NUL, NUL and an abstract name, or nothing
     * @return the address; {@link #unnamed()} for an empty array
     * @throws IllegalArgumentException if a path contains a NUL
     */
    public static UnixSocketAddress ofBytes(byte[] name) {
        UnixSocketAddress address = ofName(name.clone());
        if (address.isPathname() && address.path().indexOf(0) >= 0) {
            throw new IllegalArgumentException("the path of a socket contains a NUL: " + address);
        }
        return address;
    }

    /**
     * The address that a text names, in any of the ways in which command lines and configuration files write it:
     * <table>
     * <caption>What is understood</caption>
     * <tr><th>text</th><th>address</th></tr>
     * <tr><td>{@code /run/app.sock}</td><td>the path, which must be absolute</td></tr>
     * <tr><td>{@code unix:/run/app.sock}, {@code unix:app.sock}</td><td>the path, absolute or relative (gRPC,
     * nginx)</td></tr>
     * <tr><td>{@code unix:///run/app.sock}</td><td>the path (gRPC, Redis, Docker)</td></tr>
     * <tr><td>{@code @name}</td><td>the abstract name (ss, socat, systemd)</td></tr>
     * <tr><td>{@code unix-abstract:name}</td><td>the abstract name (gRPC)</td></tr>
     * <tr><td>{@code unix:path=/run/bus}, {@code unix:abstract=name}</td>
     * <td>path or abstract name (D-Bus); {@code %2c} is a byte in hex, other keys such as {@code guid} are
     * ignored</td></tr>
     * </table>
     * Names are taken literally, except after {@code unix:path=} and {@code unix:abstract=}: {@code unix:./path=x} is
     * the file
     * {@code path=x}.
     *
     * @param text the address
     * @return the address that it names
     * @throws IllegalArgumentException if it is none of these; the message has the text and says why
     */
    public static UnixSocketAddress parse(String text) {
        return AddressParser.parse(text);
    }

    /**
     * The address of a socket that is bound to none, as most clients are.
     *
     * @return the address without a name
     */
    public static UnixSocketAddress unnamed() {
        return UNNAMED;
    }

    /**
     * What to bind to for an abstract name that the kernel chooses; {@code localAddress()} is that name then. Linux
     * only. Abstract names have no permissions: every process of the network namespace can connect or send to the
     * socket.
     *
     * <p>It equals {@link #unnamed()}, but binding to that, or to Netty's empty {@code new DomainSocketAddress("")},
     * fails with EINVAL: an empty setting is not to open a server to everybody.
     *
     * @return the address without a name that {@code bind} takes
     */
    public static UnixSocketAddress autobind() {
        return AUTOBIND;
    }

    /**
     * The same address as an object of this class.
     *
     * @param address one of ours, Netty's {@link DomainSocketAddress} or the JDK's {@link UnixDomainSocketAddress}
     * @return the address
     * @throws IllegalArgumentException if it is of another family
     */
    public static UnixSocketAddress from(SocketAddress address) {
        if (address instanceof UnixSocketAddress) {
            return (UnixSocketAddress) address;
        }
        String path;
        if (address instanceof DomainSocketAddress) {
            path = ((DomainSocketAddress) address).path();
        } else if (address instanceof UnixDomainSocketAddress) {
            path = ((UnixDomainSocketAddress) address).getPath().toString();
        } else {
            ObjectUtil.checkNotNull(address, "address");
            throw new IllegalArgumentException("not the address of a Unix domain socket: " + address + " ("
                    + address.getClass().getName() + ')');
        }
        return path.isEmpty() ? UNNAMED : of(path);
    }

    /** From what the kernel has reported; the array is not copied. */
    static UnixSocketAddress ofName(byte[] name) {
        return name == null || name.length == 0 ? UNNAMED : new UnixSocketAddress(name);
    }

    /**
     * Whether it is the path of a socket file.
     *
     * @return true if so
     */
    public boolean isPathname() {
        return name.length > 0 && name[0] != 0;
    }

    /**
     * Whether it is an abstract name.
     *
     * @return true if so
     */
    public boolean isAbstract() {
        return name.length > 0 && name[0] == 0;
    }

    /**
     * Whether it is no name at all.
     *
     * @return true if so
     */
    public boolean isUnnamed() {
        return name.length == 0;
    }

    /**
     * The bytes of the name as the kernel has them in {@code sun_path}: a path without a final NUL, an abstract name
     * with its first NUL, nothing if there is no name.
     *
     * @return a copy
     */
    public byte[] bytes() {
        return name.clone();
    }

    /** Whether it is {@link #autobind()} itself. */
    boolean isAutobind() {
        return this == AUTOBIND;
    }

    /** The bytes themselves, which nobody may change. */
    byte[] name() {
        return name;
    }

    /**
     * The name in printable form: {@code @} stands for a NUL at the start, {@code \xHH} for other bytes that cannot be
     * shown.
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(name.length);
        path().chars().forEach(c -> {
            if (c == 0 && text.length() == 0) {
                text.append('@');
            } else if (c >= 0xDC80 && c <= 0xDCFF) {
                text.append(String.format("\\x%02x", c - 0xDC00));
            } else if (Character.isISOControl(c)) {
                text.append(String.format("\\x%02x", c));
            } else {
                text.append((char) c);
            }
        });
        return text.toString();
    }

    private static String decode(byte[] bytes) {
        StringBuilder text = new StringBuilder(bytes.length);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        var decoder = StandardCharsets.UTF_8.newDecoder();
        while (in.hasRemaining()) {
            out.clear();
            boolean malformed = decoder.reset().decode(in, out, true).isError();
            text.append(out.flip());
            if (malformed) {
                text.append((char) (0xDC00 + (in.get() & 0xFF)));
            }
        }
        return text.toString();
    }

    private static byte[] encode(String text) {
        ByteBuffer out = ByteBuffer.allocate(text.length() * 3);
        var encoder = StandardCharsets.UTF_8.newEncoder();
        CharBuffer in = CharBuffer.wrap(text);
        while (in.hasRemaining()) {
            if (encoder.reset().encode(in, out, true).isError()) {
                char c = in.get();
                if (c < 0xDC80 || c > 0xDCFF) {
                    throw new IllegalArgumentException("not a name, it has an unpaired surrogate: " + text);
                }
                out.put((byte) c);
            }
        }
        return Arrays.copyOf(out.array(), out.position());
    }
}
