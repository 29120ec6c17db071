package io.github.nettyunix.descriptor;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.process.ChildProcess;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.Setup;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Tag;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Memory that CPython and this process share through a sealed memfd, which travels alone where it can. */
@Tag("library")
@Tag("user")
class CPythonMemoryTest {
    private static final int SIZE = (1 << 20) + 5;

    /** On a stream a descriptor needs a byte to travel with. */
    private static String content(Setup setup) {
        return setup.type() == SocketType.STREAM ? "x" : "";
    }

    @Setup.Every
    void aMemfdOfCPythonIsMapped(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start("""
                data = os.urandom(int(sys.argv[1]))
                fd = os.memfd_create("shared", os.MFD_ALLOW_SEALING)
                os.write(fd, data)
                fcntl.fcntl(fd, fcntl.F_ADD_SEALS,
                    fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
                print(zlib.crc32(data))
                send(sock, sys.argv[2].encode(), [fd], peer)
                wait_for_end()
                """, SIZE, content(setup))) {
            long expected = Long.parseLong(connection.python().line());
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            UnixFileDescriptor fd = message.fileDescriptors().get(0).retain();
            assertEquals(content(setup), Content.text(Content.take(message)));
            assertEquals(UnixFileDescriptor.Type.MEMFD, fd.type());
            assertEquals(SIZE, fd.size());
            MappedByteBuffer map;
            try (FileChannel file = fd.toFileChannel(READ)) {
                map = file.map(FileChannel.MapMode.READ_ONLY, 0, fd.size());
            }
            try (FileChannel file = fd.toFileChannel(READ, WRITE)) {
                assertThrows(IOException.class, () -> file.map(FileChannel.MapMode.READ_WRITE, 0, SIZE));
            }
            // The mapping outlives all descriptors.
            fd.release();
            CRC32 sum = new CRC32();
            sum.update(map);
            assertEquals(expected, sum.getValue());
            connection.end();
        }
        Evidence.of("CPython", "a sealed memfd of another process is mapped, sent with \"" + content(setup) + "\", "
                + setup);
    }

    @Setup.Every
    void cPythonMapsOurMemfd(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                import mmap
                data, fds, flags, _ = receive(sock)
                print(repr(data.decode()), len(fds))
                with mmap.mmap(fds[0], 0, prot=mmap.PROT_READ) as memory:
                    print(zlib.crc32(memory))
                try:
                    mmap.mmap(fds[0], 0)
                except PermissionError as e:
                    print(errno.errorcode[e.errno])
                close_all(fds)
                """)) {
            byte[] bytes = new byte[SIZE];
            new Random(1).nextBytes(bytes);
            ByteBuf content = Unpooled.wrappedBuffer(bytes);
            UnixFileDescriptor fd = UnixFileDescriptor.memfd("shared", content);
            content.release();
            connection.send(connection.message(Content.of(content(setup)), fd)).sync();
            CRC32 sum = new CRC32();
            sum.update(bytes);
            connection.python().expect("'" + content(setup) + "' 1");
            connection.python().expect(Long.toString(sum.getValue()));
            connection.python().expect("EPERM");
            connection.end();
        }
        Evidence.of("CPython", "a sealed memfd of ours is mapped, sent with \"" + content(setup) + "\", " + setup);
    }

    @Setup.Few
    void aReceivedFileIsAChildsInput(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start("""
                fd = os.memfd_create("input")
                os.pwrite(fd, b"for the child", 0)
                send(sock, b"x", [fd], peer)
                wait_for_end()
                """)) {
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            UnixFileDescriptor fd = message.fileDescriptors().get(0);
            assertTrue(Content.isCloseOnExec(fd));
            ChildProcess child = ChildProcess.start(List.of("grep", "-qx", "for the child"), null, Map.of(0, fd));
            message.release();
            assertEquals(0, child.onExit().get(10, TimeUnit.SECONDS));
            connection.end();
        }
        Evidence.of("CPython", "a received file is a child's standard input, " + setup);
    }
}
