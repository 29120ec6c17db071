package io.github.nettyunix.internal.socket;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.netty.channel.DefaultFileRegion;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

/** Which files the kernel sends itself. */
@Tag("once")
@ExtendWith(LeakCheckExtension.class)
class SentFileTest {
    @TempDir
    private Path folder;
    private final int[] pair = new int[2];
    private UnixSocket socket;

    @BeforeEach
    void open() {
        UnixTransport.ensureAvailability();
        assertEquals(0, UnixSocket.newSocketPair(SocketType.STREAM.ordinal(), pair));
        socket = new UnixSocket(pair[0]);
    }

    @AfterEach
    void close() throws IOException {
        socket.close();
        FileDescriptors.closeAll(new int[] {pair[1]}, 1);
    }

    private DefaultFileRegion region(int size, int count) throws IOException {
        return new DefaultFileRegion(Files.write(folder.resolve("file"), new byte[size]).toFile(), 0, count);
    }

    @Test
    void theKernelSendsAFileAndTheRegionCountsItsBytes() throws Exception {
        DefaultFileRegion region = region(1000, 1200);
        SentFile file = SentFile.open(region);
        assertNotNull(file, "the bytes would be copied");
        assertEquals(600, file.send(socket, 600));
        assertEquals(600, region.transferred());
        assertEquals(400, file.send(socket, 600));
        assertEquals(1000, region.transferred());
        assertEquals(0, file.send(socket, 600));
        region.release();
        assertEquals(-Errno.EBADF, file.send(socket, 600));
    }

    @Test
    void fullSocketTakesNoMore() throws Exception {
        DefaultFileRegion region = region(10_000_000, 10_000_000);
        SentFile file = SentFile.open(region);
        long sent = 0;
        long result;
        while ((result = file.send(socket, 1 << 20)) > 0) {
            sent += result;
        }
        assertEquals(-Errno.EAGAIN, result);
        assertEquals(sent, region.transferred());
        assertEquals(0, FileDescriptors.setBlocking(pair[0], true));
        assertEquals(-Errno.EOPNOTSUPP, file.send(socket, 1 << 20));
        region.release();
    }

    @Test
    void regionsOfAnotherKindAreCopied() throws Exception {
        assertNull(SentFile.open(new Slow(Path.of("/dev/null"))));
        DefaultFileRegion closed = region(10, 10);
        closed.release();
        assertNull(SentFile.open(closed));
    }

    /** Overrides how its bytes are transferred. */
    private static final class Slow extends DefaultFileRegion {
        Slow(Path path) {
            super(path.toFile(), 0, 1);
        }

        @Override
        public long transferTo(java.nio.channels.WritableByteChannel target, long position) throws IOException {
            return super.transferTo(target, position);
        }
    }
}
