package io.github.nettyunix;

import io.github.nettyunix.UnixFileDescriptor.Seal;
import io.github.nettyunix.UnixFileDescriptor.Type;
import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.FileDescriptors;

import java.io.IOException;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/** Inspects and seals the files of {@link UnixFileDescriptor}s. */
final class DescriptorStatus {
    private DescriptorStatus() {
    }

    /** See {@link UnixFileDescriptor#type}. */
    static Type type(UnixFileDescriptor descriptor) throws IOException {
        return switch (status(descriptor, "type", new long[1])) {
            case FileDescriptors.REGULAR -> Type.REGULAR_FILE;
            case FileDescriptors.DIRECTORY -> Type.DIRECTORY;
            case FileDescriptors.PIPE -> Type.PIPE;
            case FileDescriptors.SOCKET -> Type.SOCKET;
            case FileDescriptors.MEMORY -> Type.MEMFD;
            case FileDescriptors.CHARACTERS -> Type.CHARACTER_DEVICE;
            case FileDescriptors.BLOCKS -> Type.BLOCK_DEVICE;
            default -> Type.OTHER;
        };
    }

    /** See {@link UnixFileDescriptor#size}. */
    static long size(UnixFileDescriptor descriptor) throws IOException {
        long[] size = new long[1];
        status(descriptor, "size", size);
        return size[0];
    }

    private static int status(UnixFileDescriptor descriptor, String operation, long[] size) throws IOException {
        return descriptor.check(operation, descriptor.use(fd -> FileDescriptors.status(fd, size)));
    }

    /** See {@link UnixFileDescriptor#seals}. */
    static Set<Seal> seals(UnixFileDescriptor descriptor) throws IOException {
        int bits = descriptor.use(FileDescriptors::seals);
        if (bits == -Errno.EINVAL) {
            return Set.of();
        }
        descriptor.check("seals", bits);
        return Arrays.stream(Seal.values()).filter(seal -> (bits & 1 << seal.ordinal()) != 0)
                .collect(Collectors.toUnmodifiableSet());
    }

    /** See {@link UnixFileDescriptor#seal}. */
    static void seal(UnixFileDescriptor descriptor, Seal... seals) throws IOException {
        int bits = Arrays.stream(seals).mapToInt(seal -> 1 << seal.ordinal()).reduce(0, (all, bit) -> all | bit);
        descriptor.check("seal", descriptor.use(fd -> FileDescriptors.seal(fd, bits)));
    }
}
