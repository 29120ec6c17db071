package io.github.nettyunix.internal.endpoint;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.ValueAccess;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.CString;
import io.github.nettyunix.internal.socket.Capabilities;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.SocketFiles;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * An address in a form that fits into {@code sun_path}. If a path does not fit, Linux can still reach it through an
 * open directory: {@code /proc/self/fd/<directory>/<file>}. Must be closed after the call that it is used for.
 */
public final class SocketName implements AutoCloseable {
    private static final ValueAccess.OfAddress<UnixSocketAddress> ADDRESSES =
            ValueAccess.ofAddress(UnixSocketAddress.class);

    private final byte[] bytes;
    private final FileDescriptor directory;

    private SocketName(byte[] bytes, FileDescriptor directory) {
        this.bytes = bytes;
        this.directory = directory;
    }

    /** Returns the name of an address. Refuses, with the limit, what cannot be a name of this type of socket. */
    static SocketName of(Operation operation, SocketType type, UnixSocketAddress address) throws IOException {
        byte[] name = bytesOf(address);
        if (address.isAbstract() && !Capabilities.ABSTRACT_NAMES) {
            throw SocketErrors.newException(operation, type, address, Errno.EINVAL, "only Linux has abstract names");
        }
        if (fits(address)) {
            return new SocketName(name, null);
        }
        if (address.isAbstract()) {
            throw tooLong(operation, type, address, "an abstract name has at most " + UnixSocket.MAX_NAME + " bytes");
        }
        if (!Capabilities.PROC_DIRECTORIES || type == SocketType.DATAGRAM && operation == Operation.BIND) {
            // Peers reply to the name of a datagram socket, so it cannot be one that has a meaning only in this
            // process.
            throw tooLong(operation, type, address, "the path has at most " + UnixSocket.MAX_NAME + " bytes here");
        }
        FileDescriptor directory = openDirectory(operation, type, address);
        byte[] prefix = ("/proc/self/fd/" + directory.intValue() + '/').getBytes(StandardCharsets.US_ASCII);
        byte[] file = lastName(name);
        byte[] bytes = Arrays.copyOf(prefix, prefix.length + file.length);
        System.arraycopy(file, 0, bytes, prefix.length, file.length);
        SocketName result = new SocketName(bytes, directory);
        if (bytes.length > UnixSocket.MAX_NAME) {
            result.close();
            throw tooLong(operation, type, address,
                    "the name in a long path has at most " + (UnixSocket.MAX_NAME - prefix.length) + " bytes");
        }
        return result;
    }

    /** Whether the address can be used as it is, as a recipient for example. */
    public static boolean fits(UnixSocketAddress address) {
        return bytesOf(address).length <= UnixSocket.MAX_NAME + (address.isAbstract() ? 1 : 0);
    }

    public static IOException tooLong(Operation operation, SocketType type, UnixSocketAddress address, String limit) {
        return SocketErrors.newException(operation, type, address, Errno.ENAMETOOLONG, limit);
    }

    /** The bytes of an address themselves, which must not be changed. */
    public static byte[] bytesOf(UnixSocketAddress address) {
        return ADDRESSES.name().apply(address);
    }

    /** The address that has these bytes, which are not copied. */
    static UnixSocketAddress toAddress(byte[] name) {
        return ADDRESSES.ofName().apply(name);
    }

    /** Converts an address to one of this transport's; an error names the operation. */
    public static UnixSocketAddress toUnixAddress(Operation operation, SocketType type, SocketAddress address)
            throws IOException {
        try {
            return UnixSocketAddress.from(address);
        } catch (IllegalArgumentException e) {
            boolean family = !(address instanceof DomainSocketAddress);
            throw SocketErrors.newException(operation, type, address, family ? Errno.EAFNOSUPPORT : Errno.EINVAL,
                    e.getMessage());
        }
    }

    /** Opens the directory that a socket file is in. */
    private static FileDescriptor openDirectory(Operation operation, SocketType type, UnixSocketAddress address)
            throws IOException {
        int directory = SocketFiles.openDirectory(CString.of(folder(bytesOf(address))), false);
        if (directory < 0) {
            throw SocketErrors.newException(operation, type, address, directory);
        }
        return new FileDescriptor(directory);
    }

    /** The path of the folder that a path is in. */
    static byte[] folder(byte[] path) {
        int slash = lastSlash(path);
        return slash < 0 ? new byte[] {'.'} : Arrays.copyOf(path, Math.max(slash, 1));
    }

    /** The last name in a path. */
    static byte[] lastName(byte[] path) {
        return Arrays.copyOfRange(path, lastSlash(path) + 1, path.length);
    }

    /** Another file in the same folder. */
    static UnixSocketAddress sibling(UnixSocketAddress file, byte[] name) {
        int length = lastSlash(bytesOf(file)) + 1;
        byte[] path = Arrays.copyOf(bytesOf(file), length + name.length);
        System.arraycopy(name, 0, path, length, name.length);
        return toAddress(path);
    }

    byte[] bytes() {
        return bytes;
    }

    @Override
    public void close() throws IOException {
        if (directory != null) {
            directory.close();
        }
    }

    private static int lastSlash(byte[] path) {
        int i = path.length - 1;
        while (i >= 0 && path[i] != '/') {
            i--;
        }
        return i;
    }
}
