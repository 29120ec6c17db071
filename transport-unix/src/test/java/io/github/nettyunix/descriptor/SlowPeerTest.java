package io.github.nettyunix.descriptor;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.Setup;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

/** CPython reads or writes slowly, or not at all for a while; nothing is lost, doubled or reordered. */
class SlowPeerTest {
    /** Many times as many as fit into the kernel's buffers. */
    private static final int MESSAGES = 2000;
    private static final int FILES = 16;

    /** Message n contains its number and brings file n modulo {@link #FILES}. */
    @Setup.Few
    void manyDescriptorsReachASlowReader(Setup setup) throws Exception {
        UnixFileDescriptor[] fds = new UnixFileDescriptor[FILES];
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                count, files = int(sys.argv[1]), int(sys.argv[2])
                input()
                for number in range(count):
                    data, fds, flags, _ = receive(sock)
                    found = data.decode(), [label(fd) for fd in fds]
                    assert found == (str(number), ["file " + str(number % files)]), (number, found)
                    close_all(fds)
                    zlib.crc32(bytes(100000))
                    if sock.type != socket.SOCK_STREAM and number % 1000 == 0:
                        print(number)
                        input()
                print("all")
                """, MESSAGES, FILES)) {
            for (int i = 0; i < FILES; i++) {
                fds[i] = Content.labelled("file " + i);
            }
            List<Integer> completed = new ArrayList<>(MESSAGES);
            CompletableFuture<Void> all = new CompletableFuture<>();
            for (int i = 0; i < MESSAGES; i++) {
                int number = i;
                connection.channel().write(connection.message(Content.of("" + i), fds[i % FILES].retain()))
                        .addListener(future -> {
                    completed.add(future.isSuccess() ? number : -1);
                    if (completed.size() == MESSAGES) {
                        all.complete(null);
                    }
                });
            }
            connection.channel().flush();
            connection.channel().eventLoop().submit(() -> assertFalse(connection.channel().isWritable())).sync();
            connection.python().say("read");
            for (int i = 0; setup.type() != SocketType.STREAM && i < MESSAGES; i += 1000) {
                connection.python().expect("" + i);
                connection.python().say("go on");
            }
            connection.python().expect("all");
            all.get(10, TimeUnit.SECONDS);
            for (int i = 0; i < MESSAGES; i++) {
                assertEquals(i, completed.get(i));
            }
            for (UnixFileDescriptor fd : fds) {
                assertEquals(1, fd.refCnt());
                fd.release();
            }
            connection.end();
        }
        Evidence.of("CPython", MESSAGES + " descriptors to a slow reader, " + setup);
    }

    /** One message per read(), while the sender waits. */
    @Setup.Few
    void manyDescriptorsAreReadOneByOne(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.AUTO_READ, false)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start("""
                count, files = int(sys.argv[1]), int(sys.argv[2])
                fds = [labelled("file") for _ in range(files)]
                print(*[os.readlink(f"/proc/self/fd/{fd}") for fd in fds])
                for number in range(count):
                    send(sock, str(number).encode(), [fds[number % files]], peer)
                wait_for_end()
                """, MESSAGES, FILES)) {
            String[] links = connection.python().line().split(" ");
            for (int i = 0; i < MESSAGES; i++) {
                connection.channel().read();
                UnixMessage message = connection.inbox().take(UnixMessage.class);
                assertEquals(1, message.fileDescriptors().size());
                int fd = message.fileDescriptors().get(0).intValue();
                assertEquals(links[i % FILES], Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString());
                assertEquals("" + i, Content.text(Content.take(message)));
            }
            connection.end();
        }
        Evidence.of("CPython", MESSAGES + " descriptors read one by one, " + setup);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLongMessageSendsItsDescriptorsOnce(boolean serving) throws Exception {
        int size = 4 << 20;
        int messages = 3;
        try (PeerConnection connection = PeerConnection.in(new Setup(SocketType.STREAM, serving, serving)).start("""
                size, count = int(sys.argv[1]), int(sys.argv[2])
                input()
                for number in range(count):
                    crc, got, labels = 0, 0, []
                    while got < size:
                        data, fds, flags, _ = receive(sock, min(50000, size - got))
                        labels += [(got, label(fd)) for fd in fds]
                        close_all(fds)
                        crc = zlib.crc32(data, crc)
                        got += len(data)
                    print(crc, labels)
                """, size, messages)) {
            byte[] bytes = new byte[size];
            new Random(size).nextBytes(bytes);
            List<UnixFileDescriptor> fds = new ArrayList<>();
            ChannelFuture first = null;
            ChannelFuture last = null;
            for (int i = 0; i < messages; i++) {
                UnixFileDescriptor[] both = {Content.labelled("a" + i), Content.labelled("b" + i)};
                fds.addAll(List.of(both));
                ByteBuf content = Unpooled.wrappedBuffer(bytes);
                last = connection.channel().write(i == 1 ? content : connection.message(content, both));
                first = first == null ? last : first;
            }
            connection.channel().flush();
            ChannelFuture started = first;
            connection.channel().eventLoop().submit(() -> assertFalse(started.isDone())).sync();
            connection.python().say("read");
            CRC32 crc = new CRC32();
            crc.update(bytes);
            connection.python().expect(crc.getValue() + " [(0, 'a0'), (0, 'b0')]");
            connection.python().expect(crc.getValue() + " []");
            connection.python().expect(crc.getValue() + " [(0, 'a2'), (0, 'b2')]");
            last.sync();
            for (UnixFileDescriptor fd : fds) {
                assertEquals(fds.indexOf(fd) / 2 == 1, fd.isOpen());
            }
            fds.subList(2, 4).forEach(UnixFileDescriptor::release);
            connection.end();
        }
        Evidence.of("CPython", "the descriptors of a 4 MiB message are sent once, "
                + (serving ? "serving" : "connecting"));
    }
}
