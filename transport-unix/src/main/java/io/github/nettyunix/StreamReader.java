package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.ReceiveBatch;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.unix.Buffer;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Reads a stream: plain bytes, or the pieces in which it comes together with its control data. */
final class StreamReader {
    private final UnixStreamChannel channel;
    // Reads where descriptors come; made when the first ones have.
    private RecordReader records;
    private boolean descriptorsExpected;

    StreamReader(UnixStreamChannel channel) {
        this.channel = channel;
    }

    /** See {@link AbstractUnixChannel#doReadMessages}. */
    int read(ExtendedHandle allocHandle, int before) throws IOException {
        if (hasMessages()) {
            return records.read(allocHandle, before);
        }
        if (channel.config().getReadMode() == DomainSocketReadMode.FILE_DESCRIPTORS) {
            return readDescriptors(allocHandle);
        }
        int control = channel.config().controlData();
        boolean controlData = control != 0;
        boolean exact = controlData && channel.config().isExactDescriptorPositions();
        if (controlData && descriptorsExpected && !exact) {
            if (records == null) {
                records = new RecordReader(channel, (content, batch, index, wanted) -> newMessage(content, batch, index), 0);
            }
            return records.read(allocHandle, before);
        }
        ByteBuf buffer = channel.readBuffers.takeUnused();
        if (buffer == null) {
            buffer = allocHandle.allocate(channel.readBuffers.allocator());
        }
        allocHandle.attemptedBytesRead(buffer.writableBytes());
        try {
            int length = exact ? receivePiece(buffer, control) : controlData ? receiveMessage(buffer, buffer.writableBytes(), control)
                    : receiveBytes(buffer);
            allocHandle.lastBytesRead(length);
            if (length > 0) {
                buffer.writerIndex(buffer.writerIndex() + length);
                allocHandle.incMessagesRead(1);
                Object message = controlData ? newMessage(buffer, ReceiveBatch.current(), 0) : buffer;
                buffer = null;
                channel.fireRead(message);
                return 1;
            }
            if (length == 0) {
                return AbstractUnixChannel.END_OF_STREAM;
            }
            channel.readBuffers.putBack(buffer);
            buffer = null;
            return AbstractUnixChannel.NOTHING;
        } finally {
            if (buffer != null) {
                buffer.release();
            }
        }
    }

    private UnixMessage newMessage(ByteBuf content, ReceiveBatch batch, int index) {
        descriptorsExpected = batch.descriptorCount(index) > 0;
        return InboundMessages.newMessage(content, batch, index);
    }

    /** Whether there is something to hand on without any event. */
    boolean hasMessages() {
        return records != null && records.hasMessages();
    }

    /** Drops what was not handed on. */
    void close() {
        if (records != null) {
            records.close();
        }
    }

    /** The number of bytes; 0 at the end, negative if there is nothing. */
    private int receiveBytes(ByteBuf buffer) throws IOException {
        int index = buffer.writerIndex();
        long address;
        if (buffer.hasMemoryAddress()) {
            address = buffer.memoryAddress() + index;
        } else {
            ByteBuffer view = buffer.internalNioBuffer(index, buffer.writableBytes());
            address = Buffer.memoryAddress(view) + view.position();
        }
        return checkRead(channel.socket.receive(address, buffer.writableBytes()));
    }

    private int receivePiece(ByteBuf buffer, int control) throws IOException {
        int length = checkRead(ReceiveBatch.current().nextPiece(channel.socket, buffer.writableBytes()));
        if (length <= 0) {
            return length;
        }
        buffer.ensureWritable(length);
        return receiveMessage(buffer, length, control);
    }

    private int receiveMessage(ByteBuf buffer, int most, int control) throws IOException {
        int descriptorLimit = channel.config().descriptorLimit();
        ReceiveBatch batch = ReceiveBatch.current();
        int result = checkRead(batch.receiveStream(buffer, most, channel.socket, descriptorLimit, control));
        if (result < 0) {
            return result;
        }
        if (batch.isControlTruncated(0)) {
            // From here on the descriptors would not match the bytes.
            channel.unsafe().close(channel.voidPromise());
            throw new ControlDataTruncatedException(channel.type, channel.addresses.endpoint(), descriptorLimit);
        }
        return batch.length(0);
    }

    /**
     * One byte at a time: whoever sends a descriptor in this mode sends one byte with it, and what follows may be meant for
     * {@link DomainSocketReadMode#BYTES}.
     */
    private int readDescriptors(ExtendedHandle allocHandle) throws IOException {
        ByteBuf scratch = channel.readBuffers.allocator().directBuffer(1);
        try {
            allocHandle.attemptedBytesRead(1);
            ReceiveBatch batch = ReceiveBatch.current();
            int result = checkRead(batch.receiveStream(scratch, 1, channel.socket, UnixSocket.MAX_FDS, ReceiveBatch.CONTROL));
            int length = result < 0 ? result : batch.length(0);
            allocHandle.lastBytesRead(length);
            if (length <= 0) {
                return length < 0 ? AbstractUnixChannel.NOTHING : AbstractUnixChannel.END_OF_STREAM;
            }
            if (batch.isControlTruncated(0)) {
                channel.unsafe().close(channel.voidPromise());
                throw new ControlDataTruncatedException(channel.type, channel.addresses.endpoint(), UnixSocket.MAX_FDS);
            }
            FileDescriptor[] fds = InboundMessages.plainDescriptors(batch, 0);
            allocHandle.incMessagesRead(1);
            for (FileDescriptor fd : fds) {
                channel.fireRead(fd);
            }
            return 1;
        } finally {
            scratch.release();
        }
    }

    private int checkRead(int result) throws IOException {
        if (result < 0 && result != -Errno.EAGAIN) {
            throw channel.newException("read", result, null);
        }
        return result;
    }

    /** Whether another read may find more. A short read has emptied the socket, unless it stopped at control data. */
    boolean maybeMore(ExtendedHandle allocHandle) {
        return allocHandle.lastBytesRead() == allocHandle.attemptedBytesRead() || channel.config().isControlData();
    }
}
