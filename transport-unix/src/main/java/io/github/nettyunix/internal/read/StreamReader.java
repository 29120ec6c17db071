package io.github.nettyunix.internal.read;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.ChannelSettings;
import io.github.nettyunix.internal.ControlDataOptions;
import io.github.nettyunix.internal.ControlDataOptions.Wanted;
import io.github.nettyunix.internal.metrics.Counter;
import io.github.nettyunix.internal.metrics.FlightEvents;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.unix.Buffer;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Reads a stream: plain bytes, or pieces with their control data. */
public final class StreamReader implements ChannelReader {
    private final ChannelCore core;
    private final ReadLoop readLoop;
    private final PeerTrust peerTrust;
    private final MoreExpected moreExpected = new MoreExpected();
    private boolean maybeMore;
    // Reads many messages at once; made when a trusted peer has sent descriptors.
    private RecordReader records;
    private boolean descriptorsExpected;

    public StreamReader(ChannelCore core, ReadLoop readLoop) {
        this.core = core;
        this.readLoop = readLoop;
        peerTrust = new PeerTrust(core.socket());
    }

    @Override
    public int read(ExtendedHandle allocHandle, int before) throws IOException {
        if (hasMessages()) {
            return records.read(allocHandle, before);
        }
        ChannelSettings settings = core.settings();
        if (settings.readMode() == DomainSocketReadMode.FILE_DESCRIPTORS) {
            return readDescriptors(allocHandle);
        }
        if (descriptorsExpected && peerTrust.isTrusted() && !settings.isExactDescriptorPositions()
                && settings.controlData().wanted().maxFds() > 0) {
            try {
                return readMany(allocHandle, before);
            } catch (IOException e) {
                if (!(e instanceof UnixSocketError error) || error.errno() != Errno.ECONNRESET) {
                    throw e;
                }
                // The kernel reports a reset before the data that the peer had sent, and only once. Report it after
                // that data.
                readLoop.keepReset(e);
                descriptorsExpected = false;
            }
        }
        ByteBuf buffer = readLoop.buffers().takeUnused();
        if (buffer == null) {
            buffer = allocHandle.allocate(readLoop.buffers().allocator());
        }
        try {
            // A read of 0 bytes would look like the end of the stream.
            buffer.ensureWritable(1);
            int room = buffer.writableBytes();
            allocHandle.attemptedBytesRead(room);
            ControlDataOptions options = settings.controlData();
            Wanted wanted = options.beginRead();
            int length;
            try {
                length = !wanted.isControlData() ? receiveBytes(buffer) : settings.isExactDescriptorPositions()
                        ? receiveToBarrier(buffer, wanted) : receiveMessage(buffer, room, wanted);
            } finally {
                options.endRead();
            }
            allocHandle.lastBytesRead(length);
            if (length <= 0) {
                moreExpected.foundNothing(before);
                maybeMore = false;
                if (length == 0) {
                    return endOfStream();
                }
                readLoop.buffers().putBack(buffer);
                buffer = null;
                return NOTHING;
            }
            buffer.writerIndex(buffer.writerIndex() + length);
            Object message = buffer;
            int descriptors = 0;
            if (wanted.isControlData()) {
                message = newMessage(buffer, before, wanted);
                descriptors = ReceiveBatch.current().descriptorCount(0);
            }
            core.counts().received(1, length, descriptors);
            allocHandle.incMessagesRead(1);
            buffer = null;
            readLoop.fireRead(message);
            return 1;
        } finally {
            if (buffer != null) {
                buffer.release();
            }
        }
    }

    private int readMany(ExtendedHandle allocHandle, int before) throws IOException {
        if (records == null) {
            records = new RecordReader(core, readLoop, (content, sender, batch, index, controlData) -> {
                descriptorsExpected = batch.descriptorCount(index) > 0;
                return InboundMessages.newMessage(content, batch, index);
            }, 0, peerTrust);
        }
        int count = records.read(allocHandle, before);
        maybeMore = records.maybeMore();
        return count == END_OF_STREAM ? endOfStream() : count;
    }

    private int endOfStream() throws IOException {
        IOException reset = readLoop.takeReset();
        if (reset != null) {
            throw reset;
        }
        return END_OF_STREAM;
    }

    @Override
    public boolean hasMessages() {
        return records != null && records.hasMessages();
    }

    @Override
    public void drain() {
        if (records != null) {
            records.drain();
        }
    }

    @Override
    public void close() {
        readLoop.buffers().close();
        if (records != null) {
            records.close();
        }
    }

    private UnixMessage newMessage(ByteBuf buffer, int before, Wanted wanted) throws IOException {
        ReceiveBatch batch = ReceiveBatch.current();
        descriptorsExpected = batch.descriptorCount(0) > 0;
        if (batch.isControlTruncated(0)) {
            throw closeWith(wanted.maxFds());
        }
        boolean found = moreExpected.found(before);
        if (batch.descriptorCount(0) > 0 || batch.pidFd(0) >= 0) {
            // Descriptors have ended the read: the kernel has not said whether there is more.
            maybeMore |= found;
        }
        try {
            batch.setTrusted(peerTrust.isHarmless(batch.descriptorCount(0)));
            return InboundMessages.newMessage(buffer, batch, 0);
        } catch (Throwable t) {
            InboundMessages.closeDescriptors(batch, 0);
            // Otherwise the stream would continue without these bytes.
            core.close();
            throw t;
        }
    }

    /** Closes the channel, whose later descriptors would not match the bytes, and returns the exception to throw. */
    private ControlDataTruncatedException closeWith(int maxFds) {
        core.close();
        ControlDataTruncatedException cause = new ControlDataTruncatedException(core.type(), core.endpointAddress(),
                maxFds, null, InboundMessages.credentials(ReceiveBatch.current(), 0));
        core.counts().count(Counter.TRUNCATED_CONTROL_DATA);
        FlightEvents.truncated(core.channel(), core.type(), core.endpointAddress(), null, cause);
        return cause;
    }

    /** Returns the number of bytes; 0 at the end of the stream, a negative number if there is nothing. */
    private int receiveBytes(ByteBuf buffer) throws IOException {
        int index = buffer.writerIndex();
        int room = buffer.writableBytes();
        long address;
        if (buffer.hasMemoryAddress()) {
            address = buffer.memoryAddress() + index;
        } else {
            ByteBuffer view = buffer.internalNioBuffer(index, room);
            address = Buffer.memoryAddress(view) + view.position();
        }
        int length = checkRead(core.socket().receive(address, room));
        // A short read has emptied the socket.
        maybeMore = length == room;
        return length;
    }

    private int receiveToBarrier(ByteBuf buffer, Wanted wanted) throws IOException {
        ReceiveBatch batch = ReceiveBatch.current();
        int next = checkRead(batch.bytesToBarrier(core.socket(), buffer.writableBytes(), wanted.flags()));
        if (next <= 0) {
            return next;
        }
        int length = next & ~ReceiveBatch.MORE;
        buffer.ensureWritable(length);
        int received = receiveMessage(buffer, length, wanted);
        maybeMore = next != length;
        return received;
    }

    private int receiveMessage(ByteBuf buffer, int most, Wanted wanted) throws IOException {
        ReceiveBatch batch = ReceiveBatch.current();
        int result = checkRead(batch.receiveStream(buffer, most, core.socket(), wanted.maxFds(), wanted.flags()));
        if (result < 0) {
            return result;
        }
        // A short read has emptied the socket, unless it stopped at descriptors.
        maybeMore = batch.length(0) == most;
        return batch.length(0);
    }

    /**
     * Reads one byte at a time: a descriptor in this mode is sent with one byte, and what follows may be meant
     * for {@link DomainSocketReadMode#BYTES}.
     */
    private int readDescriptors(ExtendedHandle allocHandle) throws IOException {
        ByteBuf scratch = readLoop.buffers().allocator().directBuffer(1);
        try {
            allocHandle.attemptedBytesRead(1);
            ReceiveBatch batch = ReceiveBatch.current();
            int result = checkRead(batch.receiveStream(scratch, 1, core.socket(), UnixSocket.MAX_FDS,
                    ReceiveBatch.CONTROL));
            int length = result < 0 ? result : batch.length(0);
            maybeMore = length > 0;
            allocHandle.lastBytesRead(length);
            if (length <= 0) {
                return length < 0 ? NOTHING : END_OF_STREAM;
            }
            if (batch.isControlTruncated(0)) {
                throw closeWith(UnixSocket.MAX_FDS);
            }
            FileDescriptor[] fds = InboundMessages.plainDescriptors(batch, 0);
            core.counts().received(1, length, fds.length);
            allocHandle.incMessagesRead(1);
            for (FileDescriptor fd : fds) {
                readLoop.fireRead(fd);
            }
            return 1;
        } finally {
            scratch.release();
        }
    }

    private int checkRead(int result) throws IOException {
        if (result < 0 && result != -Errno.EAGAIN) {
            throw core.newException(Operation.READ, result, null);
        }
        return result;
    }

    @Override
    public boolean maybeMore() {
        return maybeMore || hasMessages();
    }
}
