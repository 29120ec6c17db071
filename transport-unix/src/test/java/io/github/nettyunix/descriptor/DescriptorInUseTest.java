package io.github.nettyunix.descriptor;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.internal.OwnedDescriptors;
import io.github.nettyunix.process.ChildProcess;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.IntegerUnixChannelOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A number is not used once it may belong to another file. */
@Tag("once")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class DescriptorInUseTest {
    private static final long NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int ROUNDS = 500;
    private static final long OURS = 1;
    private static final long OTHERS = 2;

    /** One thread uses a descriptor, another closes it, and a third keeps opening other files. */
    @Test
    void fileChannelIsNeverOfTheFileThatGotTheNumberNext() throws Exception {
        UnixFileDescriptor ours = file(OURS);
        UnixFileDescriptor others = file(OTHERS);
        UnixFileDescriptor first = UnixFileDescriptor.dup(ours);
        AtomicReference<UnixFileDescriptor> current = new AtomicReference<>(first);
        AtomicBoolean over = new AtomicBoolean();
        List<FutureTask<Void>> threads = List.of(new FutureTask<>(() -> {
            while (!over.get()) {
                current.get().close();
            }
            return null;
        }), new FutureTask<>(() -> {
            while (!over.get()) {
                UnixFileDescriptor other = UnixFileDescriptor.dup(others);
                Thread.yield();
                other.close();
            }
            return null;
        }));
        threads.forEach(thread -> new Thread(thread).start());
        int wrong = 0;
        for (long start = System.nanoTime(); System.nanoTime() - start < NANOS && wrong == 0;) {
            UnixFileDescriptor fd = UnixFileDescriptor.dup(ours);
            current.set(fd);
            try (FileChannel file = fd.toFileChannel()) {
                wrong += file.size() == OURS ? 0 : 1;
            } catch (IOException e) {
                assertEquals("EBADF", assertInstanceOf(UnixSocketError.class, e).errnoName(), e.toString());
            }
            fd.close();
        }
        over.set(true);
        for (FutureTask<Void> thread : threads) {
            thread.get();
        }
        first.close();
        ours.release();
        others.release();
        assertEquals(0, wrong, "a channel was of another file");
        Evidence.of("itself", "toFileChannel never opens the file that got the number of a descriptor just closed");
    }

    private static UnixFileDescriptor file(long size) throws IOException {
        return UnixFileDescriptor.memfd("file", Unpooled.buffer((int) size).writeZero((int) size));
    }

    @Test
    void numberIsClosedAfterTheLastUse() throws Exception {
        for (boolean released : new boolean[] {false, true}) {
            UnixFileDescriptor fd = Descriptors.some(1)[0];
            int number = fd.intValue();
            assertTrue(OwnedDescriptors.beginUse(fd));
            assertTrue(OwnedDescriptors.beginUse(fd));
            if (released) {
                fd.release();
            } else {
                fd.close();
            }
            assertFalse(fd.isOpen());
            assertFalse(OwnedDescriptors.beginUse(fd));
            assertThrows(IllegalStateException.class, fd::detach);
            OwnedDescriptors.endUse(fd);
            assertTrue(isOpen(number), "the number was closed while it was in use");
            OwnedDescriptors.endUse(fd);
            assertFalse(isOpen(number));
        }
    }

    @Test
    void numbersOfAMessageAreClosedAfterTheirLastUse() throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(3);
        assertTrue(OwnedDescriptors.beginUse(fds[1]));
        new UnixMessage(Unpooled.EMPTY_BUFFER, fds).release();
        assertEquals(0, Descriptors.countOpen(fds));
        assertTrue(isOpen(fds[1].intValue()), "the number was closed while it was in use");
        assertFalse(isOpen(fds[0].intValue()) || isOpen(fds[2].intValue()));
        OwnedDescriptors.endUse(fds[1]);
        assertFalse(isOpen(fds[1].intValue()));
    }

    @Test
    void detachWaitsForUses() throws Exception {
        UnixFileDescriptor fd = Descriptors.some(1)[0];
        assertTrue(OwnedDescriptors.beginUse(fd));
        FutureTask<Integer> detached = new FutureTask<>(fd::detach);
        new Thread(detached).start();
        while (fd.isOpen()) {
            Thread.onSpinWait();
        }
        assertFalse(detached.isDone());
        assertFalse(OwnedDescriptors.beginUse(fd));
        OwnedDescriptors.endUse(fd);
        int number = detached.get(5, TimeUnit.SECONDS);
        assertTrue(isOpen(number), "a detached number was closed");
        UnixFileDescriptor.adopt(number).release();
    }

    @Test
    void adoptedChannelIsNeverOfTheSocketThatGotTheNumberNext() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            List<UnixFileDescriptor> pair = UnixFileDescriptor.socketPair(SocketType.STREAM);
            UnixFileDescriptor fd = pair.get(0);
            String ours = target(fd.intValue());
            FutureTask<List<UnixFileDescriptor>> closer = new FutureTask<>(() -> {
                fd.close();
                return UnixFileDescriptor.socketPair(SocketType.STREAM);
            });
            Thread thread = new Thread(closer);
            thread.start();
            try {
                UnixStreamChannel channel = (UnixStreamChannel) UnixTransport.adopt(fd);
                assertEquals(ours, target(channel.fd().intValue()));
                channel.unsafe().closeForcibly();
            } catch (ChannelException e) {
                assertEquals("EBADF", assertInstanceOf(UnixSocketError.class, e).errnoName(), e.toString());
            }
            for (UnixFileDescriptor other : closer.get()) {
                assertFalse(Files.readString(Path.of("/proc/self/fdinfo/" + other.intValue()))
                        .contains("flags:\t02004002"),
                        "a socket that is not ours was made non-blocking");
                other.release();
            }
            pair.get(1).release();
            thread.join();
        }
    }

    @Test
    void descriptorThatIsClosedBetweenTheCheckAndTheDuplicateIsRefused() throws Exception {
        assertClosedMeanwhile(UnixFileDescriptor::dup);
        assertClosedMeanwhile(fd -> ChildProcess.start(List.of("cat"), null, Map.of(0, fd)));
        Evidence.of("itself", "a plain descriptor that is closed while it is duplicated is refused, also if its number"
                + " is in use again");
    }

    private interface Call {
        Object on(FileDescriptor fd) throws IOException;
    }

    private static void assertClosedMeanwhile(Call call) throws IOException {
        UnixFileDescriptor ours = file(OURS);
        int number = ours.detach();
        UnixFileDescriptor[] others = new UnixFileDescriptor[1];
        FileDescriptor plain = new FileDescriptor(number) {
            @Override
            public boolean isOpen() {
                boolean open = super.isOpen();
                if (open && others[0] == null) {
                    try {
                        close();
                        others[0] = file(OTHERS);
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                }
                return open;
            }
        };
        IOException refused = assertThrows(IOException.class, () -> call.on(plain));
        assertEquals("EBADF", assertInstanceOf(UnixSocketError.class, refused).errnoName());
        assertEquals(number, others[0].intValue());
        assertEquals(OTHERS, others[0].size());
        others[0].release();
    }

    @Test
    void socketIsClosedAfterTheCallsOfOtherThreads() throws Exception {
        List<UnixStreamChannel> pair = UnixStreamChannel.pair();
        UnixStreamChannel asked = pair.get(0);
        Loops.group().register(asked).sync();
        int number = asked.fd().intValue();
        assertTrue(Channels.socket(asked).beginUse());
        asked.close().sync();
        assertFalse(asked.isOpen());
        assertTrue(isOpen(number), "the number was closed while it was in use");
        Channels.socket(asked).endUse();
        assertFalse(isOpen(number));
        pair.get(1).unsafe().closeForcibly();
    }

    @Test
    void optionsOfAClosedChannelTouchNoSocketThatGotItsNumber() throws Exception {
        ChannelOption<Integer> sendBuffer = new IntegerUnixChannelOption("SO_SNDBUF", 1, 7);
        List<UnixStreamChannel> pair = UnixStreamChannel.pair();
        UnixStreamChannel closed = pair.get(0);
        closed.unsafe().closeForcibly();
        List<UnixStreamChannel> next = UnixStreamChannel.pair();
        assertEquals(closed.fd().intValue(), next.get(0).fd().intValue());
        int before = next.get(0).config().getSendBufferSize();
        assertThrows(ChannelException.class, () -> closed.config().setOption(ChannelOption.SO_SNDBUF, before * 2));
        assertThrows(ChannelException.class, () -> closed.config().setOption(sendBuffer, before * 2));
        assertThrows(ChannelException.class, () -> closed.config().getOption(ChannelOption.SO_RCVBUF));
        assertThrows(ChannelException.class, () -> closed.config().getOption(sendBuffer));
        assertThrows(IOException.class, closed::peerCredentials);
        assertEquals(before, next.get(0).config().getSendBufferSize());
        for (UnixStreamChannel channel : List.of(pair.get(1), next.get(0), next.get(1))) {
            channel.unsafe().closeForcibly();
        }
    }

    private static boolean isOpen(int number) {
        return Files.exists(Path.of("/proc/self/fd/" + number), LinkOption.NOFOLLOW_LINKS);
    }

    private static String target(int number) throws IOException {
        return Files.readSymbolicLink(Path.of("/proc/self/fd/" + number)).toString();
    }
}
