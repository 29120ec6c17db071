package io.github.nettyunix.internal;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Mapping;
import io.github.nettyunix.internal.socket.MemoryFile;
import io.github.nettyunix.internal.socket.Operation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledDirectByteBuf;
import io.netty.util.internal.ObjectUtil;

import java.io.IOException;

/** A part of a memory file as a buffer. */
public final class MappedMemory extends UnpooledDirectByteBuf {
    private final Mapping mapping;

    private MappedMemory(Mapping mapping, int start, int length) {
        super(UnpooledByteBufAllocator.DEFAULT, mapping.writableBuffer().slice(start, length), length);
        this.mapping = mapping;
    }

    /** Maps a part of a file that cannot become smaller; see {@code SealedMemory.map}. */
    public static ByteBuf map(UnixFileDescriptor fd, long offset, int length, boolean writable) throws IOException {
        ObjectUtil.checkPositiveOrZero(offset, "offset");
        int page = MemoryFile.pageSize();
        ObjectUtil.checkInRange(length, 1, Integer.MAX_VALUE - page, "length");
        int start = (int) (offset % page);
        if (!OwnedDescriptors.beginUse(fd)) {
            throw newException(fd, -Errno.EBADF, null);
        }
        long address;
        try {
            long size = MemoryFile.sealedSize(fd.intValue(), 0);
            if (size < 0) {
                throw newException(fd, (int) size, size == -Errno.EPERM ? "it is not sealed against shrinking"
                        : size == -Errno.EINVAL ? "it is no memory file of ordinary pages" : null);
            }
            if (offset > size - length) {
                throw newException(fd, -Errno.EINVAL, "it has " + size + " bytes");
            }
            address = Mapping.map(fd.intValue(), offset - start, start + length, writable);
        } finally {
            OwnedDescriptors.endUse(fd);
        }
        if (Mapping.isErrno(address)) {
            throw newException(fd, (int) address, null);
        }
        ByteBuf memory = new MappedMemory(new Mapping(address, start + length, writable), start, length);
        return writable ? memory : memory.asReadOnly();
    }

    private static IOException newException(UnixFileDescriptor fd, int errno, String hint) {
        return SocketErrors.newException(Operation.MMAP, "of descriptor " + fd.intValue(), errno, hint);
    }

    /** The content would have to be copied, and the copy would be shared with nobody. */
    @Override
    public ByteBuf capacity(int newCapacity) {
        if (newCapacity != capacity()) {
            throw new UnsupportedOperationException("a mapping has a fixed capacity");
        }
        return this;
    }

    @Override
    public ByteBuf touch(Object hint) {
        mapping.touch(hint);
        return this;
    }

    @Override
    protected void deallocate() {
        super.deallocate();
        mapping.release();
    }
}
