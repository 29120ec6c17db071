package io.github.nettyunix;

import io.github.nettyunix.internal.MappedMemory;
import io.github.nettyunix.internal.NativeTransport;
import io.netty.buffer.ByteBuf;

import java.io.IOException;

/**
 * Maps memory files that cannot become smaller. Access to such a mapping is safe, whatever the other holders of the
 * file do, unless vm.overcommit_memory is 2, which is not the default, and the system has no memory for a new page. An
 * access to a page that a file has lost, however, raises SIGBUS: in Java code, that is an {@link InternalError}.
 * {@link UnixFileDescriptor#map} maps other files.
 *
 * <pre>{@code
 * UnixFileDescriptor memory = UnixFileDescriptor.memfd("shared", 1 << 20, Seal.SHRINK, Seal.GROW, Seal.SEAL);
 * ByteBuf buffer = SealedMemory.map(memory, 0, 1 << 20, true);
 * }</pre>
 */
public final class SealedMemory {
    private SealedMemory() {
    }

    /**
     * Maps a part of a memory file. It is unmapped when the buffer is released. Its slices and duplicates share its
     * reference count, as always. The descriptor can be closed before. Thread-safe.
     *
     * <p>The content is that of the file, and may change under the reader unless the file has
     * {@link UnixFileDescriptor.Seal#WRITE}: read each value that matters once, into a variable, and check the
     * variable. Another holder can also punch holes into the file, which read as zeros.
     *
     * @param fd a memory file, which a peer may have sent
     * @param offset where the part begins in the file, in bytes
     * @param length how many bytes it has
     * @param writable whether the buffer can be written to, which changes the file for all its holders
     * @return these bytes, all of them readable; the capacity is fixed
     * @throws IllegalArgumentException if the offset is negative or the length not positive
     * @throws IOException EPERM if the file lacks {@link UnixFileDescriptor.Seal#SHRINK}, or the mapping is to be
     *         writable and the file has {@link UnixFileDescriptor.Seal#WRITE}; EINVAL if the file is shorter, of
     *         another kind, or made of huge pages, which can raise SIGBUS too; EACCES if the descriptor is not open for
     *         this access; EBADF if it is closed; see
     *         <a href="https://man7.org/linux/man-pages/man2/mmap.2.html">mmap(2)</a>
     */
    public static ByteBuf map(UnixFileDescriptor fd, long offset, int length, boolean writable) throws IOException {
        NativeTransport.ensureAvailability();
        return MappedMemory.map(fd, offset, length, writable);
    }
}
