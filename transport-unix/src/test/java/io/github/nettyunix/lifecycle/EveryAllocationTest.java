package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.FailingAllocator;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Types;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.util.ReferenceCountUtil;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * One allocation of a buffer fails in each run, the next one in the next run, until a run needs no more of them.
 * Whichever it is, nothing is lost without an exception, nothing is left in use, and the channel works on or is closed.
 */
@ExtendWith(LeakCheckExtension.class)
class EveryAllocationTest {
    /** Small and large ones, since readers treat them differently; the last one is sent when nothing fails any more. */
    private static final int[] SIZES = {1, 100, 6_000, 100, 20_000, 1, 3_000, 5, 7};
    private static final int LAST = SIZES.length - 1;
    /** Descriptors after which a peer of the same user is trusted. */
    private static final int TRUSTED = 1_000;
    private static final int MOST_RUNS = 200;

    private enum Mode { PLAIN, MESSAGES, EXACT, TRUSTED, DESCRIPTORS }

    /** Which channel reads how, and whose allocation fails. */
    private record Setup(SocketType type, Mode mode, boolean receiverFails) {
        boolean isStream() {
            return type == SocketType.STREAM;
        }
    }

    static Stream<Setup> setups() {
        return Arrays.stream(SocketType.values()).filter(Types::apply).flatMap(type -> Arrays.stream(Mode.values())
                .filter(mode -> type == SocketType.STREAM || mode == Mode.PLAIN || mode == Mode.MESSAGES)
                .flatMap(mode -> Stream.of(new Setup(type, mode, true), new Setup(type, mode, false))));
    }

    @ParameterizedTest
    @MethodSource("setups")
    void anAllocationThatFailsLosesNothingSilently(Setup setup) throws Exception {
        int number = 1;
        while (run(setup, number)) {
            number++;
            assertTrue(number < MOST_RUNS, "it allocates without end");
        }
        assertTrue(number > 1, "no allocation has failed");
    }

    /** Returns false if there are fewer allocations than this. */
    private static boolean run(Setup setup, int number) throws Exception {
        FailingAllocator allocator = new FailingAllocator();
        ChannelPair pair = ChannelPair.of(setup.type).with(ChannelOption.AUTO_READ, false);
        if (setup.mode == Mode.DESCRIPTORS) {
            pair.with(UnixChannelOption.DOMAIN_SOCKET_READ_MODE, DomainSocketReadMode.FILE_DESCRIPTORS);
        } else if (setup.mode != Mode.PLAIN) {
            pair.with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        }
        if (setup.mode == Mode.EXACT) {
            pair.with(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true);
        }
        (setup.receiverFails ? pair.receiver : pair.sender).config().setAllocator(allocator);
        try (pair) {
            pair.start();
            if (setup.mode == Mode.TRUSTED) {
                earnTrust(pair);
            }
            allocator.failAt(number);
            List<ChannelFuture> writes = new ArrayList<>();
            for (int i = 0; i < LAST; i++) {
                if (i == LAST / 2) {
                    // Those before are read at once, the others one by one.
                    pair.receiver.config().setAutoRead(true);
                }
                writes.add(pair.sender.writeAndFlush(message(setup, i)).await());
            }
            Received received = new Received(setup);
            if (setup.receiverFails) {
                received.takeUntil(pair.inbox, LAST - 1);
            }
            allocator.failAt(0);
            writes.add(pair.sender.writeAndFlush(message(setup, LAST)).await());
            received.takeUntil(pair.inbox, LAST);
            received.check(writes, allocator.hasFailed());
        }
        allocator.assertAllReleased();
        return allocator.hasFailed();
    }

    private static void earnTrust(ChannelPair pair) throws Exception {
        UnixFileDescriptor file = UnixFileDescriptor.memfd("file", Unpooled.EMPTY_BUFFER);
        for (int i = 0; i < TRUSTED; i += 100) {
            file.retain(100);
            pair.sender.writeAndFlush(new UnixMessage(Unpooled.directBuffer().writeByte(i),
                    Collections.nCopies(100, file)));
            pair.receiver.read();
            pair.inbox.take(UnixMessage.class).release();
        }
        file.release();
    }

    /** The bytes of message i all have the value i; every other one has a descriptor, if it can be received. */
    private static Object message(Setup setup, int i) throws IOException {
        ByteBuf content = Unpooled.buffer();
        for (int k = 0; k < SIZES[i] && (k == 0 || setup.mode != Mode.DESCRIPTORS); k++) {
            content.writeByte(i);
        }
        if (!hasDescriptor(setup, i)) {
            return content;
        }
        return new UnixMessage(content, UnixFileDescriptor.memfd("file", ChannelPair.buffer("file " + i)));
    }

    private static boolean hasDescriptor(Setup setup, int i) {
        return setup.mode == Mode.DESCRIPTORS || setup.mode != Mode.PLAIN && i % 2 == 0;
    }

    /** What has arrived. */
    private static final class Received {
        private final Setup setup;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final List<String> records = new ArrayList<>();
        private final List<String> files = new ArrayList<>();
        private final List<Throwable> failures = new ArrayList<>();
        private boolean closed;

        Received(Setup setup) {
            this.setup = setup;
        }

        /** Takes what arrives until the message of this number has, the reader has failed, or the channel is closed. */
        void takeUntil(RecordingHandler inbox, int number) throws IOException {
            while (!closed && !hasArrived(number) && (number == LAST || failures.isEmpty())) {
                Object next = inbox.take();
                if (next == RecordingHandler.INACTIVE) {
                    closed = true;
                } else if (next instanceof Throwable failure) {
                    failures.add(failure);
                } else if (next instanceof FileDescriptor fd) {
                    files.add(Files.readString(Path.of("/proc/self/fd/" + fd.intValue())));
                    fd.close();
                } else {
                    add(next);
                }
            }
        }

        private boolean hasArrived(int number) {
            if (setup.mode == Mode.DESCRIPTORS) {
                return files.contains("file " + number);
            }
            byte[] all = bytes.toByteArray();
            int size = SIZES[number];
            return all.length >= size && all[all.length - size] == number && all[all.length - 1] == number;
        }

        private void add(Object message) throws IOException {
            ByteBuf content = message instanceof ByteBufHolder holder ? holder.content() : (ByteBuf) message;
            byte[] array = ByteBufUtil.getBytes(content);
            bytes.writeBytes(array);
            String record = array.length == 0 ? "" : array[0] + " x " + array.length;
            if (message instanceof UnixMessage unixMessage) {
                for (UnixFileDescriptor fd : unixMessage.fileDescriptors()) {
                    files.add(Descriptors.text(fd));
                    record += ' ' + Descriptors.text(fd);
                }
            }
            records.add(record);
            ReferenceCountUtil.release(message);
        }

        /** Compares this with what the sender could write. */
        void check(List<ChannelFuture> writes, boolean allocationFailed) {
            ByteArrayOutputStream expected = new ByteArrayOutputStream();
            List<String> expectedRecords = new ArrayList<>();
            List<String> expectedFiles = new ArrayList<>();
            int refused = 0;
            for (int i = 0; i < writes.size(); i++) {
                if (!writes.get(i).isSuccess()) {
                    refused++;
                    assertTrue(closed || writes.get(i).cause() instanceof OutOfMemoryError,
                            "a write failed on an open channel: " + writes.get(i).cause());
                    continue;
                }
                byte[] content = new byte[setup.mode == Mode.DESCRIPTORS ? 1 : SIZES[i]];
                Arrays.fill(content, (byte) i);
                expected.writeBytes(content);
                expectedRecords.add(i + " x " + content.length + (hasDescriptor(setup, i) ? " file " + i : ""));
                if (hasDescriptor(setup, i)) {
                    expectedFiles.add("file " + i);
                }
            }
            failures.forEach(failure -> assertInstanceOf(OutOfMemoryError.class, failure));
            assertEquals(allocationFailed ? 1 : 0, failures.size() + (closed ? 0 : refused), failures::toString);
            assertTrue(!closed || allocationFailed, "closed without a reason");
            if (setup.isStream()) {
                checkPrefix(expected.toByteArray(), expectedFiles);
            } else {
                checkRecords(expectedRecords);
            }
        }

        private void checkPrefix(byte[] expected, List<String> expectedFiles) {
            int length = closed ? bytes.size() : expected.length;
            if (setup.mode != Mode.DESCRIPTORS) {
                assertArrayEquals(Arrays.copyOf(expected, length), bytes.toByteArray());
            }
            assertEquals(closed ? expectedFiles.subList(0, files.size()) : expectedFiles, files);
        }

        private void checkRecords(List<String> expected) {
            int lost = 0;
            int next = 0;
            for (String record : records) {
                while (next < expected.size() && !expected.get(next).equals(record)) {
                    next++;
                    lost++;
                }
                assertTrue(next < expected.size(), () -> "not sent like this: " + record);
                next++;
            }
            if (!closed) {
                assertEquals(expected.size(), next);
                assertTrue(lost <= failures.size(), lost + " are lost: " + records);
            } else {
                assertFalse(lost > failures.size(), "lost before the end: " + records);
            }
        }
    }
}
