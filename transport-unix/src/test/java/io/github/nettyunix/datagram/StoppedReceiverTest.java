package io.github.nettyunix.datagram;

import io.github.nettyunix.DatagramQueueFull;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.DatagramQueue;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * CPython stops reading while a sender that does not wait sends datagrams: the results of the writes match what CPython
 * receives later.
 */
@ExtendWith(LeakCheckExtension.class)
class StoppedReceiverTest {
    private static final int COUNT = DatagramQueue.TOO_MANY;

    @TempDir
    private Path folder;

    private UnixSocketAddress stopped;
    private UnixSocketAddress other;
    private Python python;
    private UnixDatagramChannel sender;
    private UnixFileDescriptor[] fds;

    /**
     * The script reads one datagram from the other socket and, on request, everything from the stopped one and one more
     * datagram.
     */
    @BeforeEach
    void start() throws Exception {
        stopped = UnixSocketAddress.of(folder.resolve("stopped"));
        other = UnixSocketAddress.of(folder.resolve("other"));
        python = Python.run("""
                stopped, other = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
                stopped.bind(sys.argv[1])
                other.bind(sys.argv[2])
                def show():
                    data, fds, flags, _ = receive(stopped)
                    print(data.decode(), *map(label, fds))
                    close_all(fds)
                print("ready")
                print(other.recv(100).decode())
                input()
                stopped.setblocking(False)
                try:
                    while True:
                        show()
                except BlockingIOError:
                    print("no more")
                stopped.setblocking(True)
                show()
                """, stopped.path(), other.path());
        python.expect("ready");
        fds = Descriptors.some(COUNT);
    }

    @AfterEach
    void stop() throws Exception {
        python.close();
        sender.close().sync();
    }

    /**
     * Message n takes file n to the stopped socket. One message to the other socket is written after most of those that
     * find no room, and arrives.
     */
    private List<ChannelFuture> flood(DatagramQueueFull policy, boolean connected) throws Exception {
        sender = (UnixDatagramChannel) Channels.client(SocketType.DATAGRAM, new RecordingHandler())
                .option(UnixSocketOption.DATAGRAM_QUEUE_FULL, policy)
                .option(ChannelOption.SO_SNDBUF, DatagramQueue.SEND_BUFFER)
                .bind(UnixSocketAddress.autobind()).sync().channel();
        if (connected) {
            sender.connect(stopped).sync();
        }
        List<ChannelFuture> writes = new ArrayList<>();
        for (int i = 0; i < COUNT; i++) {
            writes.add(sender.write(connected ? new UnixMessage(ChannelPair.buffer("message " + i), fds[i])
                    : new UnixDatagramPacket(ChannelPair.buffer("message " + i), stopped, fds[i])));
            if (i == COUNT - 2) {
                sender.write(new UnixDatagramPacket(ChannelPair.buffer("to the other"), other));
            }
        }
        sender.flush();
        python.expect("to the other");
        for (ChannelFuture write : writes) {
            assertTrue(write.await(10, TimeUnit.SECONDS), "neither succeeded nor failed");
        }
        assertEquals(0, Descriptors.countOpen(fds));
        return writes;
    }

    /** Checks that these and no others arrive, and that the channel then sends again. */
    private void assertArrived(List<Integer> messages) throws Exception {
        python.say("go on");
        for (int i : messages) {
            python.expect("message " + i + " file " + i);
        }
        python.expect("no more");
        sender.writeAndFlush(new UnixDatagramPacket(ChannelPair.buffer("again"), stopped)).sync();
        python.expect("again");
        python.succeed();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatFailsDoesNotArriveAndWhatSucceedsDoes(boolean connected) throws Exception {
        List<ChannelFuture> writes = flood(DatagramQueueFull.FAIL, connected);
        List<Integer> sent = new ArrayList<>();
        for (int i = 0; i < COUNT; i++) {
            if (writes.get(i).isSuccess()) {
                sent.add(i);
            } else {
                UnixSocketError error = assertInstanceOf(UnixSocketError.class, ChannelPair.failure(writes.get(i)));
                assertEquals("EAGAIN", error.errnoName());
                assertEquals("write datagram " + stopped
                        + ": EAGAIN (Resource temporarily unavailable): the recipient's queue is full",
                        writes.get(i).cause().getMessage());
            }
        }
        assertTrue(sent.size() > 0 && sent.size() < COUNT, "sent: " + sent);
        assertArrived(sent);
        assertEquals(0, sender.droppedMessages());
        Evidence.of("CPython", "with FAIL just what succeeded arrives at a receiver that had stopped"
                + (connected ? ", connected" : ""));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsDroppedIsCountedAndTheRestArrives(boolean connected) throws Exception {
        for (ChannelFuture write : flood(DatagramQueueFull.DROP, connected)) {
            write.sync();
        }
        int dropped = (int) sender.droppedMessages();
        assertTrue(dropped > 0 && dropped < COUNT, "dropped: " + dropped);
        List<Integer> sent = new ArrayList<>();
        for (int i = 0; i < COUNT - dropped; i++) {
            sent.add(i);
        }
        assertArrived(sent);
        assertEquals(dropped, sender.droppedMessages());
        Evidence.of("CPython", "with DROP all but what was counted arrives at a receiver that had stopped"
                + (connected ? ", connected" : ""));
    }
}
