package io.github.nettyunix;

import io.github.nettyunix.internal.ValueAccess;
import io.github.nettyunix.internal.endpoint.AddressParser;
import io.github.nettyunix.internal.endpoint.NameEncoding;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.internal.ObjectUtil;

import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;

/**
 * The address of an AF_UNIX socket: a path in the file system, an abstract name (Linux), or no name. It is exact to the
 * byte, even if the bytes are not valid text. Immutable.
 *
 * <p>{@link #path()} is the name decoded as UTF-8, in which each byte that is not valid UTF-8 becomes one of the
 * characters U+DC80 to U+DCFF. The path of an abstract name starts with NUL. Equal names have equal paths, and
 * different names have different paths. Addresses of this class and of Netty's {@link DomainSocketAddress} are
 * therefore equal if they refer to the same socket.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, "Address format"
 */
public final class UnixSocketAddress extends DomainSocketAddress {
    private static final long serialVersionUID = 1;

    private static final UnixSocketAddress UNNAMED = new UnixSocketAddress(new byte[0]);
    private static final UnixSocketAddress AUTOBIND = new UnixSocketAddress(new byte[0]);

    static {
        ValueAccess.provide(new ValueAccess.OfAddress<>(UnixSocketAddress::name, UnixSocketAddress::ofName));
    }

    /** The content of sun_path. */
    private final byte[] name;

    private UnixSocketAddress(byte[] name) {
        super(NameEncoding.decode(name));
        this.name = name;
    }

    /**
     * Returns the address of a socket file.
     *
     * @param path the path; as in Netty, a string that starts with NUL is an abstract name
     * @return the address
     * @throws IllegalArgumentException if the path is empty, or contains a NUL but does not start with one
     */
    public static UnixSocketAddress of(String path) {
        if (path.isEmpty()) {
            throw new IllegalArgumentException("the path of a socket is empty");
        }
        if (path.charAt(0) != 0 && path.indexOf(0) > 0) {
            throw new IllegalArgumentException("the path of a socket contains a NUL: " + path.replace("\0", "\\0"));
        }
        return new UnixSocketAddress(NameEncoding.encode(path));
    }

    /**
     * Returns the address of a socket file.
     *
     * @param path the path, on the default file system
     * @return the address
     */
    public static UnixSocketAddress of(Path path) {
        return of(path.toString());
    }

    /**
     * Returns the address with an abstract name, which needs no file and exists as long as a socket is bound to it.
     * Linux only.
     *
     * @param name the name without the NUL that marks it as abstract
     * @return the address
     */
    public static UnixSocketAddress ofAbstract(String name) {
        return ofAbstract(NameEncoding.encode(name));
    }

    /**
     * Returns the address with an abstract name of arbitrary bytes, including NUL. Linux only.
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
     * Returns the address whose name has these bytes, as returned by {@link #bytes()} and kept by the kernel in
     * {@code sun_path}.
     *
     * @param name a path without a trailing NUL, a NUL followed by an abstract name, or an empty array
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
     * Parses an address in any of the notations that command lines and configuration files use:
     * <table>
     * <caption>Notations</caption>
     * <tr><th>text</th><th>address</th></tr>
     * <tr><td>{@code /run/app.sock}</td><td>the path, which must be absolute</td></tr>
     * <tr><td>{@code unix:/run/app.sock}, {@code unix:app.sock}</td><td>the path, absolute or relative (gRPC,
     * nginx)</td></tr>
     * <tr><td>{@code unix:///run/app.sock}</td><td>the path (gRPC, Redis, Docker)</td></tr>
     * <tr><td>{@code @name}</td><td>the abstract name (ss, socat, systemd)</td></tr>
     * <tr><td>{@code unix-abstract:name}</td><td>the abstract name (gRPC)</td></tr>
     * <tr><td>{@code unix:path=/run/bus}, {@code unix:abstract=name}</td> <td>path or abstract name (D-Bus);
     * {@code %2c} is a byte in hexadecimal, and other keys, such as {@code guid}, are ignored</td></tr>
     * </table>
     * Names are taken literally, except after {@code unix:path=} and {@code unix:abstract=}: {@code unix:./path=x} is
     * the file {@code path=x}.
     *
     * @param text the address
     * @return the address
     * @throws IllegalArgumentException if it has none of these forms; the message contains the text and the reason
     */
    public static UnixSocketAddress parse(String text) {
        return ofName(AddressParser.parse(text));
    }

    /**
     * Returns the address of a socket that is not bound to a name, such as most clients.
     *
     * @return the address without a name
     */
    public static UnixSocketAddress unnamed() {
        return UNNAMED;
    }

    /**
     * Returns the address to bind to for an abstract name that the kernel chooses; {@code localAddress()} is then that
     * name. Linux only. Abstract names have no permissions: every process in the network namespace can connect or send
     * to the socket.
     *
     * <p>It equals {@link #unnamed()}, but binding to that, or to Netty's empty {@code new DomainSocketAddress("")},
     * fails with EINVAL, so that an empty setting does not open a server to everybody.
     *
     * @return an address without a name that {@code bind} accepts
     */
    public static UnixSocketAddress autobind() {
        return AUTOBIND;
    }

    /**
     * Converts an address to this class.
     *
     * @param address an address of this class, of Netty's {@link DomainSocketAddress} or of the JDK's
     *        {@link UnixDomainSocketAddress}
     * @return the address
     * @throws IllegalArgumentException if the address is of another family
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

    /** Creates an address from a name that the kernel has reported. The array is not copied. */
    static UnixSocketAddress ofName(byte[] name) {
        return name == null || name.length == 0 ? UNNAMED : new UnixSocketAddress(name);
    }

    /**
     * Returns whether this is the path of a socket file.
     *
     * @return true if so
     */
    public boolean isPathname() {
        return name.length > 0 && name[0] != 0;
    }

    /**
     * Returns whether this is an abstract name.
     *
     * @return true if so
     */
    public boolean isAbstract() {
        return name.length > 0 && name[0] == 0;
    }

    /**
     * Returns whether this address has no name.
     *
     * @return true if so
     */
    public boolean isUnnamed() {
        return name.length == 0;
    }

    /**
     * Returns the bytes of the name as the kernel has them in {@code sun_path}: a path without a trailing NUL, an
     * abstract name with its leading NUL, or no bytes.
     *
     * @return a copy
     */
    public byte[] bytes() {
        return name.clone();
    }

    /** Returns the bytes themselves, which must not be changed. */
    byte[] name() {
        return name;
    }

    /**
     * Returns the name in printable form, with {@code @} for a leading NUL and {@code \xHH} for other bytes that cannot
     * be printed; {@code unnamed} if there is none. Meant for logs: {@link #path()} and {@link #bytes()} are exact.
     */
    @Override
    public String toString() {
        if (isUnnamed()) {
            return "unnamed";
        }
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
}
