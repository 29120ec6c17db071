package io.github.nettyunix.adopt;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Setup;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ServerChannel;
import io.netty.channel.unix.DomainDatagramPacket;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Sockets that CPython created and passed on, used by this process. */
@Tag("library")
@Tag("user")
class CPythonAdoptTest {
    private static PeerConnection receive(String script, Object... arguments) throws Exception {
        return PeerConnection.in(new Setup(SocketType.STREAM, true, true))
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(script, arguments);
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void aListeningAndAConnectedSocketServe(SocketType type) throws Exception {
        try (PeerConnection connection = receive("""
                import tempfile
                kind = TYPES[sys.argv[1]]
                with tempfile.TemporaryDirectory() as folder:
                    path = os.path.join(folder, "s")
                    listener = socket.socket(socket.AF_UNIX, kind)
                    listener.bind(path)
                    listener.listen()
                    mine, other = socket.socketpair(socket.AF_UNIX, kind)
                    send(sock, b"x", [listener.fileno(), other.fileno()])
                    print(path)
                    input()
                    print(other.getblocking(), os.get_blocking(other.fileno()))
                    listener.close()
                    other.close()
                    client = socket.socket(socket.AF_UNIX, kind)
                    client.connect(path)
                    for end in client, mine:
                        end.send(b"question")
                        print(end.recv(100).decode())
                    input()
                    print(os.path.exists(path))
                """, type)) {
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            Channel listener = UnixTransport.adopt(message.fileDescriptors().get(0));
            Channel connected = UnixTransport.adopt(message.fileDescriptors().get(1));
            message.release();
            assertInstanceOf(Channels.serverClass(type), listener);
            assertInstanceOf(Channels.clientClass(type), connected);
            assertEquals(UnixSocketAddress.of(connection.python().line()), listener.localAddress());
            assertTrue(listener.isActive() && connected.isActive());

            RecordingHandler accepted = new RecordingHandler();
            RecordingHandler inbox = new RecordingHandler();
            new ServerBootstrap().group(Loops.group()).channelFactory(() -> (ServerChannel) listener)
                    .childHandler(accepted).register().sync();
            Channels.register(connected, inbox);
            assertEquals(connection.python().pid(), ((UnixPeer) connected).peerCredentials().pid());
            connection.python().say("adopted");
            connection.python().expect("True False");

            assertEquals("question", Content.text(Content.take(accepted.take())));
            accepted.channel().writeAndFlush(Content.of("accepted")).sync();
            connection.python().expect("accepted");
            assertEquals("question", Content.text(Content.take(inbox.take())));
            connected.writeAndFlush(Content.of("connected")).sync();
            connection.python().expect("connected");
            listener.close().sync();
            connected.close().sync();
            // The process that bound the name has to remove it.
            connection.python().say("closed");
            connection.python().expect("True");
            connection.end();
        }
        Evidence.of("CPython", "a listening and a connected " + type + " socket adopted");
    }

    @Test
    void datagramSocketsServe() throws Exception {
        try (PeerConnection connection = receive("""
                mine, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
                bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                bound.bind("")
                name = bound.getsockname()
                send(sock, b"x", [other.fileno(), bound.fileno()])
                other.close()
                bound.close()
                print(name[1:].decode())
                mine.send(b"question")
                print(mine.recv(100).decode())
                client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                client.bind("")
                client.sendto(b"question", name)
                print(client.recv(100).decode())
                """)) {
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            UnixDatagramChannel end = (UnixDatagramChannel) UnixTransport.adopt(message.fileDescriptors().get(0));
            UnixDatagramChannel bound = (UnixDatagramChannel) UnixTransport.adopt(message.fileDescriptors().get(1));
            message.release();
            assertEquals(UnixSocketAddress.ofAbstract(connection.python().line()), bound.localAddress());
            assertEquals(connection.python().pid(), end.peerCredentials().pid());
            assertTrue(end.isConnected() && !bound.isConnected());
            RecordingHandler inbox = new RecordingHandler();
            Channels.register(end, inbox);
            assertEquals("question", Content.text(Content.take(inbox.take())));
            end.writeAndFlush(Content.of("one answer")).sync();
            connection.python().expect("one answer");

            RecordingHandler other = new RecordingHandler();
            Channels.register(bound, other);
            DomainDatagramPacket packet = other.take(DomainDatagramPacket.class);
            bound.writeAndFlush(new UnixDatagramPacket(Content.of("another answer"),
                    UnixSocketAddress.from(packet.sender()))).sync();
            connection.python().expect("another answer");
            packet.release();
            end.close().sync();
            bound.close().sync();
            connection.end();
        }
        Evidence.of("CPython", "a datagram pair's end and a bound datagram socket adopted");
    }

    @Test
    void otherDescriptorsStayTheCallers() throws Exception {
        try (PeerConnection connection = receive("""
                send(sock, b"x", [labelled("pipe"), socket.socket().detach(), socket.socket(socket.AF_UNIX).detach()])
                wait_for_end()
                """)) {
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            List<UnixFileDescriptor> fds = message.fileDescriptors();
            Descriptors before = Descriptors.now();
            for (UnixFileDescriptor fd : fds.subList(0, 2)) {
                assertThrows(ChannelException.class, () -> UnixTransport.adopt(fd));
                assertTrue(fd.isOpen());
            }
            assertThrows(ChannelException.class, () -> UnixSeqpacketChannel.adopt(fds.get(2).intValue()));
            assertTrue(fds.get(2).isOpen());
            before.assertUnchanged();
            assertEquals("pipe", Content.label(fds.get(0)));
            message.release();
            connection.end();
        }
        Evidence.of("CPython", "what cannot be adopted stays its owner's");
    }

    @Test
    void anUnlinkedFileIsReadWrittenAndMapped() throws Exception {
        try (PeerConnection connection = receive("""
                import tempfile
                file = tempfile.TemporaryFile()
                os.write(file.fileno(), b"from Python")
                reader = os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY)
                send(sock, b"x", [file.fileno(), reader])
                input()
                print(os.pread(reader, 100, 0).decode(), os.lseek(file.fileno(), 0, os.SEEK_CUR))
                """)) {
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            UnixFileDescriptor fd = message.fileDescriptors().get(0);
            UnixFileDescriptor readOnly = message.fileDescriptors().get(1);
            try (FileChannel file = fd.toFileChannel(READ, WRITE)) {
                ByteBuffer text = ByteBuffer.allocate(11);
                assertEquals(11, file.position());
                assertEquals(11, file.read(text, 0));
                assertEquals("from Python", StandardCharsets.UTF_8.decode(text.flip()).toString());
                file.position(5).write(ByteBuffer.wrap("CPython".getBytes(StandardCharsets.UTF_8)));
                file.map(FileChannel.MapMode.READ_WRITE, 0, 4).put((byte) 'F');
            }
            assertTrue(fd.isOpen());
            assertEquals("From CPython", Content.label(readOnly));
            assertThrows(IOException.class, () -> readOnly.toFileChannel(WRITE));
            connection.python().say("written");
            connection.python().expect("From CPython 12");
            message.release();
            connection.end();
        }
        Evidence.of("CPython", "a received descriptor of an unlinked file as a FileChannel");
    }
}
