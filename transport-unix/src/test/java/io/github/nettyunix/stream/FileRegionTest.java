package io.github.nettyunix.stream;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Setup;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelProgressiveFuture;
import io.netty.channel.ChannelProgressiveFutureListener;
import io.netty.channel.ChannelProgressivePromise;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.unix.UnixChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Files that are written to a stream. */
@OnlyWith(SocketType.STREAM)
@ExtendWith(LeakCheckExtension.class)
class FileRegionTest {
    private static final int SIZE = 3_000_001;

    @TempDir
    private Path folder;

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    private FileChannel file(byte[] content) throws IOException {
        return FileChannel.open(Files.write(folder.resolve("file"), content), StandardOpenOption.READ);
    }

    /** Returns the next bytes that arrive, this many. */
    private static byte[] take(RecordingHandler inbox, int count) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        while (all.size() < count) {
            ByteBuf buffer = inbox.take(ByteBuf.class);
            buffer.readBytes(all, buffer.readableBytes());
            buffer.release();
        }
        return all.toByteArray();
    }

    @Setup.Streams
    void theFileArrivesBetweenWhatIsWrittenBeforeAndAfterIt(Setup setup) throws Exception {
        byte[] content = random(SIZE);
        CRC32 checksum = new CRC32();
        checksum.update(content, 7, SIZE - 7);
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                data = b""
                while more := sock.recv(1 << 16):
                    data += more
                print(data[:6].decode(), len(data) - 12, zlib.crc32(data[6:-6]), data[-6:].decode())
                """)) {
            Channel channel = connection.channel();
            DefaultFileRegion region = new DefaultFileRegion(file(content), 7, SIZE - 7);
            channel.write(Content.of("before"));
            AtomicLong progress = new AtomicLong();
            ChannelProgressivePromise promise = channel.newProgressivePromise();
            promise.addListener(new ChannelProgressiveFutureListener() {
                @Override
                public void operationProgressed(ChannelProgressiveFuture future, long now, long total) {
                    assertTrue(now > progress.get());
                    progress.set(now);
                }

                @Override
                public void operationComplete(ChannelProgressiveFuture future) {
                }
            });
            channel.write(region, promise);
            channel.writeAndFlush(Content.of("behind")).sync();
            assertTrue(promise.isSuccess());
            assertEquals(SIZE - 7, progress.get());
            assertEquals(SIZE - 7, region.transferred());
            assertEquals(0, region.refCnt());
            channel.close().sync();
            connection.python().expect("before " + (SIZE - 7) + " " + checksum.getValue() + " behind");
            connection.end();
        }
        Evidence.of("CPython", "a file as a FileRegion, " + setup);
    }

    @Setup.Streams
    void aFileThatIsShorterThanItsRegionFailsAndNothingAfterItIsSent(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                data = b""
                while more := sock.recv(1 << 16):
                    data += more
                print(len(data))
                """)) {
            Channel channel = connection.channel();
            DefaultFileRegion region = new DefaultFileRegion(file(random(100_000)), 10, 100_001);
            ChannelFuture written = channel.write(region);
            ChannelFuture next = channel.write(Content.of("what must not take its place"));
            channel.flush();
            Throwable cause = ChannelPair.failure(written);
            assertTrue(cause instanceof UnixSocketError, cause::toString);
            assertTrue(cause.getMessage().endsWith("the file has 100000 bytes, and the region ends behind byte 100011"),
                    cause::toString);
            ChannelPair.failure(next);
            assertEquals(0, region.refCnt());
            assertTrue(connection.inbox().take() instanceof ChannelOutputShutdownEvent);
            connection.python().expect("99990");
            channel.close().sync();
            connection.end();
        }
    }

    @Test
    void aFileThatIsClosedBeforeItIsSentFails() throws Exception {
        try (ChannelPair pair = ChannelPair.started(SocketType.STREAM)) {
            FileChannel file = file(random(10));
            DefaultFileRegion region = new DefaultFileRegion(file, 0, 10);
            file.close();
            Throwable cause = ChannelPair.failure(pair.sender.writeAndFlush(region));
            assertTrue(cause.getMessage().contains("EBADF") && cause.getMessage().endsWith("the file is closed"),
                    cause::toString);
            assertEquals(0, region.refCnt());
        }
    }

    @Test
    void aFileThatCannotBeReadFails() throws Exception {
        try (ChannelPair pair = ChannelPair.started(SocketType.STREAM)) {
            Path path = Files.write(folder.resolve("written"), random(10));
            DefaultFileRegion region = new DefaultFileRegion(FileChannel.open(path, StandardOpenOption.WRITE), 0, 10);
            Throwable cause = ChannelPair.failure(pair.sender.writeAndFlush(region));
            assertTrue(cause.getMessage().endsWith("EBADF (Bad file descriptor)"), cause::toString);
            assertEquals(0, region.refCnt());
        }
    }

    @Test
    void aFileThatDoesNotExistFails() throws Exception {
        try (ChannelPair pair = ChannelPair.started(SocketType.STREAM)) {
            DefaultFileRegion region = new DefaultFileRegion(folder.resolve("missing").toFile(), 0, 10);
            assertTrue(ChannelPair.failure(pair.sender.writeAndFlush(region)) instanceof IOException);
            assertEquals(0, region.refCnt());
        }
    }

    /** The number of a closed file may have been reused: the peer would get another file's bytes. */
    @Test
    void closingAFileWaitsUntilItsNumberIsNotInUse() throws Exception {
        byte[] content = random(1000);
        FileChannel file = file(content);
        CountDownLatch inUse = new CountDownLatch(1);
        Thread closer = new Thread(() -> {
            try {
                inUse.await();
                file.close();
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Thread.State[] seen = new Thread.State[1];
        DefaultFileRegion region = new DefaultFileRegion(file, 0, content.length) {
            @Override
            public long position() {
                inUse.countDown();
                do {
                    seen[0] = closer.getState();
                    Thread.onSpinWait();
                } while (seen[0] != Thread.State.BLOCKED && seen[0] != Thread.State.TERMINATED);
                return super.position();
            }
        };
        try (ChannelPair pair = ChannelPair.started(SocketType.STREAM)) {
            closer.start();
            pair.sender.writeAndFlush(region).sync();
            assertEquals(Thread.State.BLOCKED, seen[0]);
            assertArrayEquals(content, take(pair.inbox, content.length));
            closer.join();
            assertFalse(file.isOpen());
        }
    }

    @Test
    void aSocketThatAnotherHolderMakesBlockingDoesNotBlockTheLoop() throws Exception {
        byte[] content = random(SIZE);
        try (ChannelPair pair = ChannelPair.of(SocketType.STREAM).with(ChannelOption.AUTO_READ, false).start();
                UnixFileDescriptor other = UnixFileDescriptor.dup(((UnixChannel) pair.sender).fd())) {
            other.setBlocking(true);
            ChannelFuture written = pair.sender.writeAndFlush(new DefaultFileRegion(file(content), 0, SIZE));
            boolean isFree = pair.sender.eventLoop().submit(() -> { }).await(5, TimeUnit.SECONDS);
            boolean isWritten = written.isDone();
            // This also interrupts a system call that the loop may be in.
            pair.receiver.config().setAutoRead(true);
            assertTrue(isFree, "the loop of the sender is in a system call");
            assertFalse(isWritten);
            assertArrayEquals(content, take(pair.inbox, SIZE));
            written.sync();
        }
    }

    @Test
    void aRegionThatTransfersItsBytesInAWayOfItsOwnDoesSo() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        byte[] content = random(SIZE);
        DefaultFileRegion region = new DefaultFileRegion(file(content), 0, SIZE) {
            @Override
            public long transferTo(WritableByteChannel target, long position) throws IOException {
                // Sometimes it has no bytes to transfer.
                return calls.incrementAndGet() % 3 == 0 ? 0 : super.transferTo(target, position);
            }
        };
        try (ChannelPair pair = ChannelPair.started(SocketType.STREAM)) {
            ChannelFuture written = pair.sender.writeAndFlush(region);
            assertArrayEquals(content, take(pair.inbox, SIZE));
            written.sync();
            assertTrue(calls.get() > 1);
            assertEquals(0, region.refCnt());
        }
    }

    @Test
    void aChannelThatClosesReleasesTheRegionThatIsUnderWay() throws Exception {
        try (ChannelPair pair = ChannelPair.of(SocketType.STREAM).with(ChannelOption.AUTO_READ, false).start()) {
            FileChannel file = file(random(SIZE));
            DefaultFileRegion region = new DefaultFileRegion(file, 0, SIZE);
            ChannelFuture written = pair.sender.writeAndFlush(region);
            ChannelPair.settle(pair.sender);
            assertTrue(region.transferred() > 0 && region.transferred() < SIZE);
            pair.sender.close().sync();
            ChannelPair.failure(written);
            assertEquals(0, region.refCnt());
            assertFalse(file.isOpen());
        }
    }

    @Test
    void regionsOfOneFileOneAfterTheOther() throws Exception {
        byte[] content = random(10_000);
        Path path = Files.write(folder.resolve("file"), content);
        try (ChannelPair pair = ChannelPair.started(SocketType.STREAM)) {
            for (int i = 0; i < 100; i++) {
                pair.sender.write(new DefaultFileRegion(path.toFile(), i * 100, 100));
            }
            // An empty region sends nothing.
            pair.sender.writeAndFlush(new DefaultFileRegion(path.toFile(), 0, 0)).sync();
            assertArrayEquals(content, take(pair.inbox, content.length));
        }
    }

    /** Nothing beyond the end of the region is sent, even if the file grows meanwhile. */
    @Test
    void aFileThatGrowsIsSentAsFarAsItsRegionGoes() throws Exception {
        byte[] content = random(SIZE);
        FileChannel file = file(content);
        try (ChannelPair pair = ChannelPair.of(SocketType.STREAM).with(ChannelOption.AUTO_READ, false).start();
                RandomAccessFile more = new RandomAccessFile(folder.resolve("file").toFile(), "rw")) {
            ChannelFuture written = pair.sender.writeAndFlush(new DefaultFileRegion(file, 0, SIZE));
            more.seek(SIZE);
            more.write(content);
            pair.receiver.config().setAutoRead(true);
            assertArrayEquals(content, take(pair.inbox, SIZE));
            written.sync();
            pair.sender.close().sync();
            assertEquals(RecordingHandler.INACTIVE, pair.inbox.take());
        }
    }
}
