package io.github.nettyunix.descriptor;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixFileDescriptor.Seal;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.IllegalReferenceCountException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.DELETE_ON_CLOSE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

@Tag("once")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class UnixFileDescriptorTest {
    @TempDir
    private Path folder;

    @Test
    void closeIsIdempotentAndMakesReferencesHarmless() throws Exception {
        UnixFileDescriptor fd = Descriptors.some(1)[0].retain();
        fd.close();
        assertFalse(fd.isOpen());
        // The remaining references must not close the file that gets the number next.
        try (UnixFileDescriptor next = Descriptors.some(1)[0]) {
            assertEquals(fd.intValue(), next.intValue());
            fd.close();
            assertFalse(fd.release());
            assertTrue(fd.release());
            assertEquals("file 0", Descriptors.text(next));
            assertThrows(IllegalReferenceCountException.class, fd::release);
        }
        Evidence.of("itself", "a closed descriptor's references cannot close the next one of its number");
    }

    @Test
    void closedDescriptorIsNotTakenForTheNextOneOfItsNumber() throws Exception {
        UnixFileDescriptor fd = Descriptors.some(1)[0];
        Set<UnixFileDescriptor> seen = new HashSet<>(Set.of(fd));
        fd.close();
        try (UnixFileDescriptor next = Descriptors.some(1)[0]) {
            assertEquals(fd.intValue(), next.intValue());
            assertNotEquals(fd, next);
            assertFalse(seen.contains(next));
            assertTrue(seen.add(next));
            assertTrue(seen.contains(fd) && fd.equals(fd));
        }
    }

    @Test
    void descriptorThatWasReleasedTooOftenKeepsNothingElseOfItsMessageOpen() throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(5);
        ByteBuf content = ChannelPair.buffer("content");
        UnixMessage message = new UnixMessage(content, List.of(fds).subList(0, 4), null, fds[4], null);
        fds[0].release();
        fds[2].release();
        assertThrows(IllegalReferenceCountException.class, message::release);
        assertEquals(0, Descriptors.countOpen(fds));
        assertEquals(0, content.refCnt());
        Evidence.of("itself", "a descriptor that was released too often keeps no other one open");
    }

    @Test
    void detachGivesUpTheOwnership() throws Exception {
        UnixFileDescriptor fd = Descriptors.some(1)[0];
        int number = fd.detach();
        assertFalse(fd.isOpen());
        fd.close();
        fd.release();
        assertThrows(IllegalStateException.class, fd::detach);
        try (UnixFileDescriptor again = UnixFileDescriptor.adopt(number)) {
            assertEquals("file 0", Descriptors.text(again));
        }
        assertThrows(IllegalArgumentException.class, () -> UnixFileDescriptor.adopt(-1));
    }

    @Test
    void duplicatesShareTheOffsetButNotTheLifetime() throws Exception {
        UnixFileDescriptor fd = Descriptors.some(1)[0];
        UnixFileDescriptor duplicate = UnixFileDescriptor.dup(fd);
        try (FileChannel file = fd.toFileChannel(READ)) {
            file.position(4);
        }
        fd.release();
        try (FileChannel file = duplicate.toFileChannel(READ)) {
            assertEquals(4, file.position());
        }
        duplicate.release();
        FileDescriptor plain = FileDescriptor.from("/dev/null");
        UnixFileDescriptor.dup(plain).release();
        assertTrue(plain.isOpen());
        plain.close();
        IOException closed = assertThrows(IOException.class, () -> UnixFileDescriptor.dup(plain));
        assertEquals("EBADF", assertInstanceOf(UnixSocketError.class, closed).errnoName());
    }

    @Test
    void openCreatesAppendsAndTruncates() throws Exception {
        Path path = folder.resolve("file");
        write(path, "one", WRITE, CREATE_NEW);
        assertEquals("EEXIST", error(path, WRITE, CREATE_NEW));
        write(path, "two", APPEND);
        assertEquals("onetwo", Files.readString(path));
        write(path, "3", WRITE);
        assertEquals("3netwo", Files.readString(path));
        write(path, "4", WRITE, CREATE, TRUNCATE_EXISTING);
        assertEquals("4", Files.readString(path));
        try (UnixFileDescriptor fd = UnixFileDescriptor.open(path); FileChannel file = fd.toFileChannel()) {
            ByteBuffer content = ByteBuffer.allocate(8);
            assertEquals(1, file.read(content));
            assertThrows(NonWritableChannelException.class, () -> file.write(content.flip()));
        }
        assertThrows(UnsupportedOperationException.class, () -> UnixFileDescriptor.open(path, DELETE_ON_CLOSE));
    }

    @Test
    void openNamesWhatIsMissing() {
        Path path = folder.resolve("missing");
        IOException missing = assertThrows(IOException.class, () -> UnixFileDescriptor.open(path));
        UnixSocketError error = assertInstanceOf(UnixSocketError.class, missing);
        assertEquals("ENOENT", error.errnoName());
        assertEquals("open " + path + ": ENOENT (No such file or directory)", missing.getMessage());
        assertEquals("EISDIR", error(folder, WRITE));
    }

    @Test
    void memoryFileCannotBeChanged() throws Exception {
        ByteBuf content = ChannelPair.buffer("..sealed..").setIndex(2, 8);
        UnixFileDescriptor fd = UnixFileDescriptor.memfd("name", content);
        assertEquals(6, content.readableBytes());
        try (FileChannel file = fd.toFileChannel(READ, WRITE)) {
            assertEquals(0, file.position());
            assertEquals(6, file.size());
            assertThrows(IOException.class, () -> file.write(ByteBuffer.wrap(new byte[1]), 0));
            assertThrows(IOException.class, () -> file.write(ByteBuffer.wrap(new byte[1]), 6));
            assertThrows(IOException.class, () -> file.truncate(2));
            assertEquals(6, file.size());
        }
        assertTrue(Descriptors.open().get(fd.intValue()).contains("memfd:name"));
        fd.release();
        UnixFileDescriptor.memfd("", Unpooled.EMPTY_BUFFER).release();
        IOException tooLong = assertThrows(IOException.class, () -> UnixFileDescriptor.memfd("n".repeat(250), content));
        assertEquals("EINVAL", assertInstanceOf(UnixSocketError.class, tooLong).errnoName());
    }

    @Test
    void typeAndSizeOfEveryKindAreReported() throws Exception {
        assertType(UnixFileDescriptor.Type.MEMFD, 6, Descriptors.some(1)[0]);
        assertType(UnixFileDescriptor.Type.REGULAR_FILE, 7,
                UnixFileDescriptor.open(Files.writeString(folder.resolve("file"), "content")));
        // A file on a tmpfs is not a memory file, whether it has a name or not.
        Path memory = Files.createTempFile(Path.of("/dev/shm"), "unix", null);
        UnixFileDescriptor named = UnixFileDescriptor.open(memory);
        assertEquals(UnixFileDescriptor.Type.REGULAR_FILE, named.type());
        Files.delete(memory);
        assertType(UnixFileDescriptor.Type.REGULAR_FILE, 0, named);
        assertType(UnixFileDescriptor.Type.MEMFD, 5, UnixFileDescriptor.memfd("unsealed", 5));
        assertType(UnixFileDescriptor.Type.DIRECTORY, -1, UnixFileDescriptor.open(folder));
        assertType(UnixFileDescriptor.Type.CHARACTER_DEVICE, 0, UnixFileDescriptor.open(Path.of("/dev/null")));
        FileDescriptor[] pipe = FileDescriptor.pipe();
        assertType(UnixFileDescriptor.Type.PIPE, 0, UnixFileDescriptor.dup(pipe[0]));
        pipe[0].close();
        pipe[1].close();
        UnixStreamChannel socket = new UnixStreamChannel();
        assertType(UnixFileDescriptor.Type.SOCKET, 0, UnixFileDescriptor.dup(socket.fd()));
        socket.unsafe().closeForcibly();
    }

    @Test
    void sealsTellWhetherAFileCanBeMapped() throws Exception {
        UnixFileDescriptor sealed = Descriptors.some(1)[0];
        assertEquals(Set.of(Seal.SEAL, Seal.SHRINK, Seal.GROW, Seal.WRITE), sealed.seals());
        UnixFileDescriptor memory = UnixFileDescriptor.memfd("memory", 4096);
        assertEquals(Set.of(), memory.seals());
        MappedByteBuffer ours = memory.map(FileChannel.MapMode.READ_WRITE, 0, 4096);
        MappedByteBuffer theirs = memory.map(FileChannel.MapMode.READ_ONLY, 4095, 1);
        ours.put(4095, (byte) 7);
        assertEquals(7, theirs.get(0));
        IOException busy = assertThrows(IOException.class, () -> memory.seal(Seal.WRITE));
        assertEquals("EBUSY", assertInstanceOf(UnixSocketError.class, busy).errnoName());
        memory.seal(Seal.SHRINK, Seal.GROW);
        assertEquals(Set.of(Seal.SHRINK, Seal.GROW), memory.seals());
        try (FileChannel file = memory.toFileChannel()) {
            assertThrows(IOException.class, () -> file.truncate(1));
        }
        memory.seal(Seal.SEAL);
        assertThrows(IOException.class, () -> memory.seal(Seal.FUTURE_WRITE));
        UnixFileDescriptor file = UnixFileDescriptor.open(Files.createFile(folder.resolve("unsealed")));
        assertFalse(file.seals().contains(Seal.SHRINK));
        assertThrows(IllegalArgumentException.class, () -> UnixFileDescriptor.memfd("memory", -1));
        for (UnixFileDescriptor fd : List.of(sealed, memory, file)) {
            fd.release();
            assertThrows(IOException.class, fd::seals);
        }
    }

    @Test
    void eventFdCounts() throws Exception {
        try (UnixFileDescriptor fd = UnixFileDescriptor.eventFd(5, false); FileChannel counter = fd.toFileChannel()) {
            ByteBuffer value = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
            counter.write(value.putLong(0, 2));
            counter.read(value.clear());
            assertEquals(7, value.getLong(0));
        }
        try (UnixFileDescriptor fd = UnixFileDescriptor.eventFd(5, true); FileChannel counter = fd.toFileChannel()) {
            ByteBuffer value = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
            counter.read(value);
            assertEquals(1, value.getLong(0));
        }
        assertThrows(IllegalArgumentException.class, () -> UnixFileDescriptor.eventFd(1L << 32, false));
        assertThrows(IllegalArgumentException.class, () -> UnixFileDescriptor.eventFd(-1, false));
    }

    /** Closes it, after which neither is known. */
    private static void assertType(UnixFileDescriptor.Type type, long size, UnixFileDescriptor fd) throws IOException {
        assertEquals(type, fd.type());
        if (size >= 0) {
            assertEquals(size, fd.size());
        }
        fd.release();
        IOException closed = assertThrows(IOException.class, fd::type);
        assertEquals("EBADF", assertInstanceOf(UnixSocketError.class, closed).errnoName());
        assertEquals("size of descriptor " + fd.intValue() + ": EBADF (Bad file descriptor)",
                assertThrows(IOException.class, fd::size).getMessage());
    }

    @Test
    void fileChannelHasTheRequestedDirectionsAndItsOwnDescriptor() throws Exception {
        Path path = Files.writeString(folder.resolve("file"), "content");
        try (UnixFileDescriptor fd = UnixFileDescriptor.open(path, READ, WRITE)) {
            FileChannel reading = fd.toFileChannel(READ);
            FileChannel writing = fd.toFileChannel(WRITE);
            FileChannel both = fd.toFileChannel(READ, WRITE);
            FileChannel allowed = fd.toFileChannel();
            ByteBuffer byteBuffer = ByteBuffer.allocate(1);
            assertThrows(NonWritableChannelException.class, () -> reading.write(byteBuffer));
            assertThrows(NonReadableChannelException.class, () -> writing.read(byteBuffer));
            assertEquals(1, reading.read(byteBuffer));
            assertEquals(1, both.position());
            fd.close();
            assertEquals(1, writing.write(byteBuffer.flip()));
            assertEquals(1, allowed.write(byteBuffer.clear()));
            assertEquals(3, both.position());
            both.map(FileChannel.MapMode.READ_WRITE, 0, 3).put(0, (byte) 'C');
            assertEquals("Cccte", Files.readString(path).substring(0, 5));
            for (FileChannel channel : new FileChannel[] {reading, writing, both, allowed}) {
                channel.close();
            }
            IOException closed = assertThrows(IOException.class, () -> fd.toFileChannel(READ));
            assertEquals("EBADF", assertInstanceOf(UnixSocketError.class, closed).errnoName());
        }
        Evidence.of("itself", "toFileChannel reads, writes and maps a descriptor, and outlives it");
    }

    @Test
    void fileChannelIsRefusedForADirectionThatTheDescriptorDoesNotHave() throws Exception {
        Path path = Files.createFile(folder.resolve("file"));
        try (UnixFileDescriptor reading = UnixFileDescriptor.open(path);
                UnixFileDescriptor writing = UnixFileDescriptor.open(path, WRITE)) {
            assertRefused(reading, "reading", WRITE);
            assertRefused(reading, "reading", READ, WRITE);
            assertRefused(writing, "writing", READ);
            assertRefused(writing, "writing", READ, WRITE);
            assertThrows(UnsupportedOperationException.class, () -> reading.toFileChannel(APPEND));
        }
    }

    private static void assertRefused(UnixFileDescriptor fd, String only, StandardOpenOption... options) {
        IOException refused = assertThrows(IOException.class, () -> fd.toFileChannel(options));
        assertEquals("EACCES", assertInstanceOf(UnixSocketError.class, refused).errnoName());
        assertTrue(refused.getMessage().endsWith("it is open for " + only + " only"), refused.getMessage());
    }

    private static void write(Path path, String text, StandardOpenOption... options) throws IOException {
        try (UnixFileDescriptor fd = UnixFileDescriptor.open(path, options);
                FileChannel file = fd.toFileChannel(WRITE)) {
            file.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
        }
    }

    private static String error(Path path, StandardOpenOption... options) {
        IOException e = assertThrows(IOException.class, () -> UnixFileDescriptor.open(path, options));
        return assertInstanceOf(UnixSocketError.class, e).errnoName();
    }
}
