package io.github.nettyunix.descriptor;

import io.github.nettyunix.SealedMemory;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixFileDescriptor.Seal;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.Setup;
import io.netty.buffer.ByteBuf;
import io.netty.util.IllegalReferenceCountException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Memory files that are safe to map, as buffers. */
@Tag("once")
@Tag("user")
@EnabledOnOs(OS.LINUX)
@ExtendWith(LeakCheckExtension.class)
class SealedMemoryTest {
    private static final String NAME = "sealed-memory-test";
    private static final Seal[] FIXED = {Seal.SEAL, Seal.SHRINK, Seal.GROW};
    private static final int SIZE = 10_000;

    @TempDir
    private Path folder;

    @AfterEach
    void nothingIsMapped() throws IOException {
        assertEquals(0, mappings());
    }

    private static long mappings() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains("memfd:" + NAME)).count();
        }
    }

    private static UnixFileDescriptor memory(Seal... seals) throws IOException {
        return UnixFileDescriptor.memfd(NAME, SIZE, seals);
    }

    private static String error(Executable call) {
        return assertInstanceOf(UnixSocketError.class, assertThrows(IOException.class, call)).errnoName();
    }

    @Test
    void sealsAreThereFromTheStart() throws IOException {
        try (UnixFileDescriptor memory = memory(FIXED)) {
            EnumSet<Seal> seals = EnumSet.copyOf(memory.seals());
            // Only Linux 6.3 and later have files that nobody can execute.
            assertEquals(seals.remove(Seal.EXEC), !Files.isExecutable(Path.of("/proc/self/fd/" + memory.intValue())));
            assertEquals(Set.of(FIXED), seals);
            assertEquals(SIZE, memory.size());
            assertTrue(Content.isCloseOnExec(memory));
            assertThrows(IOException.class, () -> memory.seal(Seal.WRITE));
            try (FileChannel file = memory.toFileChannel()) {
                assertThrows(IOException.class, () -> file.truncate(1));
                assertThrows(IOException.class, () -> file.write(ByteBuffer.allocate(1), SIZE));
            }
        }
        try (UnixFileDescriptor unsealed = memory(new Seal[0])) {
            assertFalse(unsealed.seals().contains(Seal.SHRINK));
        }
        assertThrows(IllegalArgumentException.class, () -> UnixFileDescriptor.memfd(NAME, -1, FIXED));
        assertEquals("EINVAL", error(() -> UnixFileDescriptor.memfd("x".repeat(1000), 1, FIXED)));
    }

    @Test
    void aMappingSharesTheFileUntilItsLastReferenceIsReleased() throws IOException {
        UnixFileDescriptor memory = memory(FIXED);
        ByteBuf one = SealedMemory.map(memory, 0, SIZE, true);
        // Not at the start of a page.
        ByteBuf other = SealedMemory.map(memory, 5001, 4999, false);
        memory.close();
        assertEquals(2, mappings());
        assertEquals(SIZE, one.readableBytes());
        assertEquals(4999, other.readableBytes());
        one.setInt(SIZE - 4, 0x01020304);
        assertEquals(0x01020304, other.getInt(4999 - 4));
        one.setByte(5001, 7);
        assertEquals(7, other.readByte());
        ByteBuf slice = one.retainedSlice(5000, 2);
        assertFalse(one.release());
        assertEquals(7, slice.getByte(1));
        assertTrue(slice.release());
        assertEquals(1, mappings());
        assertThrows(IllegalReferenceCountException.class, () -> one.getByte(0));
        assertThrows(IllegalReferenceCountException.class, () -> slice.getByte(0));
        assertTrue(other.release());
        assertThrows(IllegalReferenceCountException.class, () -> other.getByte(0));
    }

    @Test
    void aMappingForReadingCannotBeWrittenTo() throws IOException {
        try (UnixFileDescriptor memory = memory(FIXED)) {
            ByteBuf buffer = SealedMemory.map(memory, 0, SIZE, false);
            assertTrue(buffer.isReadOnly());
            assertThrows(ReadOnlyBufferException.class, () -> buffer.setByte(0, 1));
            assertThrows(ReadOnlyBufferException.class, () -> buffer.slice(1, 2).setByte(0, 1));
            assertTrue(buffer.nioBuffer().isReadOnly());
            buffer.release();
        }
    }

    @Test
    void theCapacityIsFixed() throws IOException {
        try (UnixFileDescriptor memory = memory(FIXED)) {
            ByteBuf buffer = SealedMemory.map(memory, 0, SIZE, true);
            assertEquals(SIZE, buffer.maxCapacity());
            assertSame(buffer, buffer.capacity(SIZE));
            assertThrows(UnsupportedOperationException.class, () -> buffer.capacity(1));
            buffer.touch("here").release();
        }
    }

    @Test
    void whatIsNotSafeIsRefused() throws IOException {
        try (UnixFileDescriptor unsealed = UnixFileDescriptor.memfd(NAME, SIZE)) {
            assertEquals("mmap of descriptor " + unsealed.intValue() + ": EPERM (Operation not permitted): it is not "
                    + "sealed against shrinking",
                    assertThrows(IOException.class, () -> SealedMemory.map(unsealed, 0, 1, false)).getMessage());
            unsealed.seal(Seal.GROW);
            assertEquals("EPERM", error(() -> SealedMemory.map(unsealed, 0, 1, false)));
        }
        try (UnixFileDescriptor file = UnixFileDescriptor.open(Files.writeString(folder.resolve("file"), "text"))) {
            assertEquals("EINVAL", error(() -> SealedMemory.map(file, 0, 1, false)));
        }
        UnixFileDescriptor memory = memory(Seal.SHRINK, Seal.WRITE);
        assertEquals("EPERM", error(() -> SealedMemory.map(memory, 0, 1, true)));
        assertEquals("mmap of descriptor " + memory.intValue() + ": EINVAL (Invalid argument): it has 10000 bytes",
                assertThrows(IOException.class, () -> SealedMemory.map(memory, 1, SIZE, false)).getMessage());
        assertEquals("EINVAL", error(() -> SealedMemory.map(memory, Long.MAX_VALUE, 1, false)));
        assertThrows(IllegalArgumentException.class, () -> SealedMemory.map(memory, -1, 1, false));
        assertThrows(IllegalArgumentException.class, () -> SealedMemory.map(memory, 0, 0, false));
        assertThrows(IllegalArgumentException.class, () -> SealedMemory.map(memory, 0, -1, false));
        assertThrows(IllegalArgumentException.class, () -> SealedMemory.map(memory, 0, Integer.MAX_VALUE, false));
        Path path = Path.of("/proc/self/fd/" + memory.intValue());
        try (UnixFileDescriptor unreadable = UnixFileDescriptor.open(path, StandardOpenOption.WRITE)) {
            assertEquals("EACCES", error(() -> SealedMemory.map(unreadable, 0, 1, false)));
        }
        memory.release();
        assertEquals("EBADF", error(() -> SealedMemory.map(memory, 0, 1, false)));
    }

    @Test
    void aMappingCanBeSent() throws Exception {
        try (ChannelPair pair = ChannelPair.of(SocketType.STREAM).start();
                UnixFileDescriptor memory = memory(FIXED)) {
            ByteBuf buffer = SealedMemory.map(memory, 0, SIZE, true);
            buffer.setCharSequence(5000, "in memory", StandardCharsets.US_ASCII);
            buffer.release();
            pair.sender.writeAndFlush(SealedMemory.map(memory, 5000, 9, false)).sync();
            assertEquals("in memory", pair.text());
        }
    }

    @Setup.Few
    void memoryIsSharedWithCPython(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start("""
                import mmap
                fd = os.memfd_create("sealed-memory-test", os.MFD_ALLOW_SEALING)
                os.ftruncate(fd, 8192)
                fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
                memory = mmap.mmap(fd, 8192)
                memory[4096:4101] = b"hello"
                send(sock, b"x", [fd], peer)
                data, fds, _, _ = receive(sock)
                print(memory[0:5])
                with mmap.mmap(fds[0], 0) as theirs:
                    print(theirs[0:6])
                    theirs[1] = 66
                try:
                    os.ftruncate(fds[0], 1)
                except PermissionError as e:
                    print(errno.errorcode[e.errno])
                close_all(fds)
                wait_for_end()
                """)) {
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            ByteBuf theirs = SealedMemory.map(message.fileDescriptors().get(0), 0, 8192, true);
            message.release();
            assertEquals("hello", theirs.toString(4096, 5, StandardCharsets.US_ASCII));
            theirs.setCharSequence(0, "world", StandardCharsets.US_ASCII);
            UnixFileDescriptor memory = memory(FIXED);
            ByteBuf ours = SealedMemory.map(memory, 0, SIZE, true);
            ours.setCharSequence(0, "shared", StandardCharsets.US_ASCII);
            connection.send(connection.message(Content.of("x"), memory)).sync();
            connection.python().expect("b'world'");
            connection.python().expect("b'shared'");
            connection.python().expect("EPERM");
            assertEquals("sBared", ours.toString(0, 6, StandardCharsets.US_ASCII));
            ours.release();
            theirs.release();
            connection.end();
        }
        Evidence.of("CPython", "both map and change sealed memory of either process, " + setup);
    }

    @Setup.Few
    void hugePagesOfAPeerAreRefused(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start("""
                fd = os.memfd_create("huge", os.MFD_HUGETLB | os.MFD_ALLOW_SEALING)
                os.ftruncate(fd, 4 << 20)
                fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
                send(sock, b"x", [fd], peer)
                wait_for_end()
                """)) {
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            UnixFileDescriptor huge = message.fileDescriptors().get(0);
            assertEquals(Set.of(FIXED), huge.seals());
            assertEquals("mmap of descriptor " + huge.intValue() + ": EINVAL (Invalid argument): it is no memory file "
                    + "of ordinary pages",
                    assertThrows(IOException.class, () -> SealedMemory.map(huge, 0, 4096, false)).getMessage());
            message.release();
            connection.end();
        }
    }
}
