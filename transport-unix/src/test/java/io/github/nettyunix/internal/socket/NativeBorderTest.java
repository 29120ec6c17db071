package io.github.nettyunix.internal.socket;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.unix.Limits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** C refuses invalid numbers before it makes a system call or touches memory. */
@Tag("library")
@ExtendWith(LeakCheckExtension.class)
class NativeBorderTest {
    private static final long SIZE = 1 << 20;
    private static final int MIN = Integer.MIN_VALUE;
    private static final int MAX = Integer.MAX_VALUE;

    // struct outbound_message, drawn in send_batch.c
    private static final int FIRST_VECTOR = 0;
    private static final int VECTORS = 4;
    private static final int FD_COUNT = 8;
    private static final int NAME_LENGTH = 28;
    private static final int OUTBOUND_MESSAGE = 2384;
    // struct inbound_message, drawn in receive_batch.c
    private static final int INBOUND_MESSAGE = 3008;

    private final List<DynamicTest> tests = new ArrayList<>();
    private final Set<String> called = new TreeSet<>();
    private final int[] pair = new int[2];
    private NativeMemory memory;
    private ByteBuffer bytes;
    private long address;

    @BeforeEach
    void open() {
        UnixTransport.ensureAvailability();
        assertEquals(0, UnixSocket.newSocketPair(SocketType.STREAM.ordinal(), pair));
        memory = new NativeMemory(SIZE);
        bytes = memory.buffer(0, (int) SIZE);
        address = memory.address();
        addCalls();
    }

    @AfterEach
    void close() {
        memory.free();
        FileDescriptors.closeAll(pair, pair.length);
    }

    @TestFactory
    List<DynamicTest> badNumbersAreRefused() {
        return tests;
    }

    /** Another native method that takes more than a descriptor and flags needs rows here. */
    @Test
    void allNativeMethodsThatTakeNumbersAreTried() throws Exception {
        Set<String> missing = new TreeSet<>();
        Path classes = Path.of(NativeMemory.class.getProtectionDomain().getCodeSource().getLocation().toURI())
                .resolve(NativeMemory.class.getPackageName().replace('.', '/'));
        try (Stream<Path> files = Files.list(classes)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.getFileName().toString().replace(".class", "");
                for (Method method : Class.forName(NativeMemory.class.getPackageName() + '.' + name)
                        .getDeclaredMethods()) {
                    long numbers = Stream.of(method.getParameterTypes()).filter(type -> type != boolean.class).count();
                    boolean one = numbers <= 1 && Stream.of(method.getParameterTypes())
                            .noneMatch(type -> !type.isPrimitive());
                    if (Modifier.isNative(method.getModifiers()) && !one) {
                        missing.add(name + '.' + method.getName());
                    }
                }
            }
        }
        missing.removeAll(called);
        assertEquals(Set.of(), missing);
    }

    @Test
    void aNameThatDoesNotFitIsRefused() throws IOException {
        UnixSocket socket = new UnixSocket(UnixSocket.newSocket(SocketType.DATAGRAM.ordinal()));
        try {
            byte[] name = new byte[UnixSocket.MAX_NAME + 2];
            assertEquals(-Errno.ENAMETOOLONG, socket.bind(name));
            assertEquals(-Errno.ENAMETOOLONG, socket.connect(name));
            assertEquals(-Errno.ENAMETOOLONG, SocketFiles.probe(name));
        } finally {
            socket.close();
        }
    }

    @Test
    void acceptThatIsRefusedLeavesTheConnectionInTheBacklog(@TempDir Path folder) throws IOException {
        byte[] path = folder.resolve("socket").toString().getBytes(StandardCharsets.UTF_8);
        UnixSocket server = new UnixSocket(UnixSocket.newSocket(SocketType.STREAM.ordinal()));
        UnixSocket client = new UnixSocket(UnixSocket.newSocket(SocketType.STREAM.ordinal()));
        List<UnixSocket> opened = new ArrayList<>(List.of(server, client));
        try {
            assertEquals(0, server.bind(path));
            assertEquals(0, server.startListening(1));
            assertEquals(0, client.connect(path));
            assertEquals(-Errno.EINVAL, server.acceptConnection(null));
            assertEquals(-Errno.EINVAL, server.acceptConnection(new byte[UnixSocket.MAX_NAME + 1]));
            int accepted = server.acceptConnection(new byte[UnixSocket.MAX_NAME + 2]);
            assertTrue(accepted > 0, () -> "accept: " + accepted);
            opened.add(new UnixSocket(accepted));
        } finally {
            for (UnixSocket socket : opened) {
                socket.close();
            }
        }
    }

    private void addCalls() {
        int fd = pair[0];
        byte[] name = {'x'};
        byte[] path = terminated("/nonexistent/path");
        long wraps = -16;

        Class<?> send = SendBatch.class;
        refused(send, "sendRecords", fd, address, -1, 1, address, 1);
        refused(send, "sendRecords", fd, address, 2, 1, address, 1);
        refused(send, "sendRecords", fd, address, 0, SendBatch.CAPACITY + 1, address, 1);
        refused(send, "sendRecords", fd, address, 0, MAX, address, 1);
        refused(send, "sendRecords", fd, 0L, 0, 1, address, 1);
        refused(send, "sendRecords", fd, wraps, 0, 1, address, 1);
        refused(send, "sendRecords", fd, address, 0, 1, 0L, 1);
        refused(send, "sendRecords", fd, address, 0, 1, wraps, 2);
        refused(send, "sendRecords", fd, address, 0, 1, address, -1);
        refused(send, "sendRecords", fd, address, 0, 1, address, Limits.IOV_MAX + 1);
        refused(send, "sendStream", fd, address, -1, address, 1);
        refused(send, "sendStream", fd, address, MIN, address, 1);
        refused(send, "sendStream", fd, address, SendBatch.CAPACITY + 1, address, 1);
        refused(send, "sendStream", fd, 0L, 1, address, 1);
        refused(send, "sendStream", fd, wraps, 1, address, 1);
        refused(send, "sendStream", fd, address, 1, 0L, 1);
        refused(send, "sendStream", fd, address, 1, address, MIN);
        refusedMessage(FIRST_VECTOR, -1);
        refusedMessage(FIRST_VECTOR, 1);
        refusedMessage(FIRST_VECTOR, MAX);
        refusedMessage(VECTORS, -1);
        refusedMessage(VECTORS, 2);
        refusedMessage(VECTORS, MAX);
        refusedMessage(FD_COUNT, -1);
        refusedMessage(FD_COUNT, UnixSocket.MAX_FDS + 1);
        refusedMessage(FD_COUNT, MAX);
        refusedMessage(NAME_LENGTH, -2);
        refusedMessage(NAME_LENGTH, UnixSocket.MAX_NAME + 2);
        refusedMessage(NAME_LENGTH, MAX);

        refusedReceive(0, 0L, 0, address, SIZE, 4096L, 64, 0, 0);
        refusedReceive(-2, 0L, 0, address, SIZE, 4096L, 64, 0, 0);
        refusedReceive(ReceiveBatch.CAPACITY + 1, 0L, 0, address, SIZE, 64L, 64, 0, 0);
        refusedReceive(1, 0L, -1, address, SIZE, 4096L, 64, 0, 0);
        refusedReceive(1, 0L, 65, address, SIZE, 4096L, 64, 0, 0);
        refusedReceive(1, 0L, 64, address, SIZE, 4096L, 64, 0, 0);
        refusedReceive(2, address, 64, address, SIZE, 4096L, 64, 0, 0);
        refusedReceive(1, wraps, 64, address, SIZE, 4096L, 64, 0, 0);
        refusedReceive(1, 0L, 0, 0L, SIZE, 4096L, 64, 0, 0);
        refusedReceive(1, 0L, 0, wraps, SIZE, 4096L, 64, 0, 0);
        refusedReceive(1, 0L, 0, address, 63L, 4096L, 64, 0, 0);
        refusedReceive(1, 0L, 0, address, -1L, 4096L, 64, 0, 0);
        refusedReceive(1, 0L, 0, address, SIZE, 4096L, 0, 0, 0);
        refusedReceive(1, 0L, 0, address, SIZE, 4096L, -1, 0, 0);
        refusedReceive(2, 0L, 0, address, SIZE, 63L, 64, 0, 0);
        refusedReceive(2, 0L, 0, address, SIZE, -4096L, 64, 0, 0);
        refusedReceive(2, 0L, 0, address, SIZE, SIZE - 63, 64, 0, 0);
        refusedReceive(32, 0L, 0, address, SIZE, Long.MAX_VALUE / 16, 64, 0, 0);
        refusedReceive(1, 0L, 0, address, SIZE, 4096L, 64, -1, ReceiveBatch.CONTROL);
        refusedReceive(1, 0L, 0, address, SIZE, 4096L, 64, UnixSocket.MAX_FDS + 1, ReceiveBatch.CONTROL);
        refusedReceive(1, 0L, 0, address, SIZE, 4096L, 64, 0, 1 << 8);
        refusedReceive(1, 0L, 0, address, SIZE, 4096L, 64, 0, -1);
        refused(ReceiveBatch.class, "receive", fd, 0L, 1, 0L, 0, address, SIZE, 4096L, 64, 0, 0);
        refused(ReceiveBatch.class, "receive", fd, wraps, 1, 0L, 0, address, SIZE, 4096L, 64, 0, 0);
        refused(ReceiveBatch.class, "bytesToBarrier", fd, 0L, 64, 64, 0);
        refused(ReceiveBatch.class, "bytesToBarrier", fd, wraps, 64, 64, 0);
        refused(ReceiveBatch.class, "bytesToBarrier", fd, address, 0, 64, 0);
        refused(ReceiveBatch.class, "bytesToBarrier", fd, address, -1, 64, 0);
        refused(ReceiveBatch.class, "bytesToBarrier", fd, address, 64, 0, 0);
        refused(ReceiveBatch.class, "bytesToBarrier", fd, address, 64, MIN, 0);
        refused(ReceiveBatch.class, "bytesToBarrier", fd, address, 64, ReceiveBatch.MORE, 0);
        refused(ReceiveBatch.class, "bytesToBarrier", fd, address, 64, 64, -1);

        Class<?> socket = UnixSocket.class;
        refused(socket, "newSocket", -1);
        refused(socket, "newSocket", 3);
        refused(socket, "newSocketPair", -1, new int[2]);
        refused(socket, "newSocketPair", MAX, new int[2]);
        refused(socket, "newSocketPair", 0, null);
        refused(socket, "newSocketPair", 0, new int[1]);
        refused(socket, "bind", fd, null);
        refused(socket, "bind", fd, new byte[] {'a', 0, 'b'});
        refused(socket, "connect", fd, null);
        refused(socket, "connect", fd, new byte[] {'a', 0, 'b'});
        refused(socket, "accept", fd, null);
        refused(socket, "accept", fd, new byte[1]);
        refused(socket, "receive", fd, 0L, 64);
        refused(socket, "receive", fd, wraps, 64);
        refused(socket, "receive", fd, address, 0);
        refused(socket, "receive", fd, address, -1);
        refused(socket, "sendBytes", fd, 0L, 64);
        refused(socket, "sendBytes", fd, wraps, 64);
        refused(socket, "sendBytes", fd, address, 0);
        refused(socket, "sendBytes", fd, address, -1);
        refused(socket, "send", fd, 0L, 1);
        refused(socket, "send", fd, wraps, 2);
        refused(socket, "send", fd, address, 0);
        refused(socket, "send", fd, address, -1);
        refused(socket, "send", fd, address, Limits.IOV_MAX + 1);
        refused(socket, "localName", fd, null);
        refused(socket, "localName", fd, new byte[UnixSocket.MAX_NAME]);
        refused(socket, "peerName", fd, null);
        refused(socket, "peerName", fd, new byte[UnixSocket.MAX_NAME]);
        refused(socket, "setOption", fd, -1, 1);
        refused(socket, "setOption", fd, 6, 1);
        refused(socket, "setOption", fd, MAX, 1);
        refused(socket, "getOption", fd, -1);
        refused(socket, "getOption", fd, 6);
        refused(socket, "setOptionBytes", fd, 1, 1, null);
        refused(socket, "setOptionBytes", fd, 1, 1, new byte[4097]);
        refused(socket, "getOptionBytes", fd, 1, 1, null);
        refused(socket, "getOptionBytes", fd, 1, 1, new byte[4097]);
        refused(socket, "peerCredentials", fd, null);
        refused(socket, "peerCredentials", fd, new int[2]);
        refused(socket, "peerGroups", fd, null);
        refused(socket, "peerLabel", fd, null);
        // The kernel takes a backlog of any size.
        called.add("UnixSocket.listen");

        Class<?> sent = SentFile.class;
        java.io.FileDescriptor file = java.io.FileDescriptor.in;
        DefaultFileRegion region = new DefaultFileRegion(new File("/dev/null"), 0, 1);
        // Finds the fields.
        assertDoesNotThrow(() -> SentFile.open(region));
        region.release();
        refused(sent, "findFields", (Object) null);
        refused(sent, "openFile", null, new Object[3]);
        refused(sent, "openFile", region, null);
        refused(sent, "openFile", region, new Object[2]);
        refused(sent, "sendFile", fd, null, file, 0L, 1L);
        refused(sent, "sendFile", fd, region, null, 0L, 1L);
        refused(sent, "sendFile", fd, region, file, -1L, 1L);
        refused(sent, "sendFile", fd, region, file, 0L, 0L);
        refused(sent, "sendFile", fd, region, file, 0L, -1L);
        refused(sent, "sendFile", fd, region, file, Long.MAX_VALUE, 1L);

        Class<?> files = FileDescriptors.class;
        refused(files, "open", path, -1, 0);
        refused(files, "open", path, 3, 0);
        refused(files, "open", path, 256, 0);
        refused(files, "open", path, MIN, 0);
        refused(files, "open", path, 0, 1 << 12);
        refused(files, "open", null, 0, 0);
        refused(files, "open", new byte[0], 0, 0);
        refused(files, "open", name, 0, 0);
        refused(files, "open", new byte[] {'a', 0, 'b', 0}, 0, 0);
        refused(files, "duplicate", fd, -1);
        refused(files, "replace", fd, -1);
        refused(files, "replace", fd, fd);
        refused(files, "status", fd, null);
        refused(files, "status", fd, new long[0]);
        refused(files, "setSize", fd, -1L);
        refused(files, "addToCounter", fd, 0L);
        refused(files, "addToCounter", fd, -1L);
        refused(files, "takeCounter", fd, null);
        refused(files, "takeCounter", fd, new long[0]);
        refused(files, "seek", fd, -1L);
        refused(files, "closeHarmless", null, 1);
        refused(files, "closeHarmless", new int[1], 2);
        refused(files, "closeHarmless", new int[UnixSocket.MAX_FDS + 1], UnixSocket.MAX_FDS + 1);
        refused(files, "closeHarmless", new int[1], -1);
        refused(files, "closeHarmless", new int[] {-1}, 1);
        refused(files, "closeAll", null, 1);
        refused(files, "closeAll", new int[1], 2);
        refused(files, "closeAll", new int[UnixSocket.MAX_FDS + 1], UnixSocket.MAX_FDS + 1);
        refused(files, "closeAll", new int[1], -1);
        refused(files, "closeAll", new int[] {-1}, 1);
        refused(files, "number", (Object) null);

        Class<?> memoryFile = MemoryFile.class;
        int page = MemoryFile.pageSize();
        refused(memoryFile, "open", null, false);
        refused(memoryFile, "addSeals", fd, -1);
        refused(memoryFile, "addSeals", fd, 1 << 8);
        refused(memoryFile, "map", fd, -1L, page, true);
        refused(memoryFile, "map", fd, 1L, page, true);
        refused(memoryFile, "map", fd, Long.MAX_VALUE, page, true);
        refused(memoryFile, "map", fd, Long.MAX_VALUE / page * page, page, true);
        refused(memoryFile, "map", fd, 0L, 0, true);
        refused(memoryFile, "map", fd, 0L, -1, true);
        refused(memoryFile, "map", fd, 0L, MIN, true);
        refused(memoryFile, "mapRing", fd, -page, page);
        refused(memoryFile, "mapRing", fd, page - 1, page);
        refused(memoryFile, "mapRing", fd, MIN, page);
        refused(memoryFile, "mapRing", fd, page, 0);
        refused(memoryFile, "mapRing", fd, page, -page);
        refused(memoryFile, "mapRing", fd, page, page + 1);
        refused(memoryFile, "mapRing", fd, page, 1 << 30);
        refused(memoryFile, "mapRing", fd, MAX / page * page, page);

        Class<?> socketFiles = SocketFiles.class;
        refused(socketFiles, "status", null, new long[6]);
        refused(socketFiles, "status", name, new long[6]);
        refused(socketFiles, "status", path, null);
        refused(socketFiles, "status", path, new long[5]);
        refused(socketFiles, "statusOf", fd, null);
        refused(socketFiles, "statusOf", fd, new long[5]);
        refused(socketFiles, "rename", path, null, 0);
        refused(socketFiles, "rename", null, path, 0);
        refused(socketFiles, "rename", path, path, -1);
        refused(socketFiles, "rename", path, path, 4);
        refused(socketFiles, "link", path, name);
        refused(socketFiles, "link", null, path);
        refused(socketFiles, "groupId", null, new byte[64], new int[1]);
        refused(socketFiles, "groupId", path, new byte[0], new int[1]);
        refused(socketFiles, "groupId", path, new byte[64], new int[0]);
        refused(socketFiles, "changeGroup", -1, null, 0);
        // Two descriptors, which the kernel checks.
        called.add("SocketFiles.isBoundTo");
        refused(socketFiles, "open", (Object) null);
        refused(socketFiles, "open", name);
        refused(socketFiles, "remove", (Object) null);
        refused(socketFiles, "remove", name);
        refused(socketFiles, "changeMode", -1, null, 0600);
        refused(socketFiles, "changeMode", fd, path, -1);
        refused(socketFiles, "restrictMode", fd, 1 << 12);
        refused(socketFiles, "openDirectory", null, true);
        refused(socketFiles, "openDirectory", new byte[] {'/', 0, 't', 0}, true);
        refused(socketFiles, "probe", (Object) null);
        refused(socketFiles, "probe", new byte[] {'a', 0, 'b'});

        Class<?> children = ChildProcesses.class;
        // Signal 0 has no effect if it is sent.
        refused(children, "signal", 0, 0);
        refused(children, "signal", -1, 0);
        refused(children, "signal", MIN, 0);
        refused(children, "signal", (int) ProcessHandle.current().pid(), -1);
        refused(children, "reap", -1);
        refused(children, "reap", 0);
        refused(children, "awaitEnd", -1);
        refused(children, "spawn", 0L, 64L, 0, 1, -1);
        refused(children, "spawn", wraps, 64L, 0, 1, -1);
        refused(children, "spawn", address, 24L, 0, 1, -1);
        refused(children, "spawn", address, 64L, -1, 1, -1);
        refused(children, "spawn", address, 64L, 0, 0, -1);
        refused(children, "spawn", address, 64L, 0, MAX, MAX);
        refused(children, "spawn", address, 64L, 0, 1, -2);
        // One string, and bytes behind it; no end of a string.
        refusedAfter(b -> b.putInt(24, 'a').putInt(28, 'b'), children, "spawn", address, 32L, 0, 1, -1);
        refusedAfter(b -> b.putLong(24, -1), children, "spawn", address, 32L, 0, 1, -1);
        // Descriptor 9 for number 9, two for number 3, and number -1.
        refusedAfter(b -> b.putInt(0, 9).putInt(4, 9), children, "spawn", address, 33L, 1, 1, -1);
        refusedAfter(b -> b.putInt(0, 9).putInt(4, 3).putInt(8, 9).putInt(12, 3), children, "spawn", address, 41L, 2, 1,
                -1);
        refusedAfter(b -> b.putInt(0, 9).putInt(4, -1), children, "spawn", address, 33L, 1, 1, -1);

        Class<?> memory = NativeMemory.class;
        refused(memory, "map", 0L);
        refused(memory, "map", -1L);
        refused(memory, "unmap", 0L, 4096L);
        refused(memory, "unmap", wraps, 4096L);
        refused(memory, "unmap", address, -1L);
        refused(memory, "discard0", 0L, 8192L);
        refused(memory, "discard0", wraps, 8192L);
        refused(memory, "discard0", address, -1L);
        refused(memory, "discard0", wraps, 8L);
        refused(memory, "buffer0", 0L, 1);
        refused(memory, "buffer0", address, -1);

        Class<?> process = Process.class;
        refused(process, "identity", (Object) null);
        refused(process, "identity", new int[2]);
        refused(process, "groups", (Object) null);
        refused(process, "variable", (Object) null);
        refused(process, "variable", name);
        refused(process, "unset", (Object) null);
        refused(process, "unset", name);
        refused(Platform.class, "errorNumber", (Object) null);
    }

    private void refusedReceive(int count, long buffer, int length, long data, long size, long stride, int capacity,
            int maxFds,
                                int wanted) {
        refused(ReceiveBatch.class, "receive", pair[0], address + SIZE - ReceiveBatch.CAPACITY * INBOUND_MESSAGE, count,
                buffer, length, data,
                size, stride, capacity, maxFds, wanted);
    }

    /** A batch of two messages that share one iovec, the second of which has this number at this offset. */
    private void refusedMessage(int offset, int number) {
        Consumer<ByteBuffer> batch = b -> b.putInt(NAME_LENGTH, -1).putInt(OUTBOUND_MESSAGE + NAME_LENGTH, -1)
                .putInt(OUTBOUND_MESSAGE + VECTORS, 1)
                .putInt(OUTBOUND_MESSAGE + offset, number);
        long vectors = address + SIZE / 2;
        refusedAfter(batch, SendBatch.class, "sendRecords", pair[0], address, 0, 2, vectors, 1);
        refusedAfter(batch, SendBatch.class, "sendRecords", pair[0], address, 1, 2, vectors, 1);
        refusedAfter(batch, SendBatch.class, "sendStream", pair[0], address, 2, vectors, 1);
    }

    private void refused(Class<?> owner, String method, Object... arguments) {
        refusedAfter(b -> { }, owner, method, arguments);
    }

    private void refusedAfter(Consumer<ByteBuffer> prepare, Class<?> owner, String name, Object... arguments) {
        called.add(owner.getSimpleName() + '.' + name);
        Method method = Stream.of(owner.getDeclaredMethods()).filter(m -> Modifier.isNative(m.getModifiers()))
                .filter(m -> m.getName().equals(name) && m.getParameterCount() == arguments.length).findFirst()
                .orElseThrow();
        method.setAccessible(true);
        tests.add(DynamicTest.dynamicTest(owner.getSimpleName() + '.' + name + ' ' + tests.size(), () -> {
            for (int i = 0; i < SIZE; i += Long.BYTES) {
                bytes.putLong(i, 0);
            }
            prepare.accept(bytes);
            assertEquals(refusal(method), method.invoke(null, arguments));
        }));
    }

    private static Object refusal(Method method) {
        if (method.getName().equals("sendRecords")) {
            return (long) Errno.EINVAL << Integer.SIZE;
        }
        if (method.getName().equals("errorNumber")) {
            return -1;
        }
        Class<?> type = method.getReturnType();
        return type == int.class ? (Object) (-Errno.EINVAL) : type == long.class ? (Object) (long) -Errno.EINVAL : null;
    }

    private static byte[] terminated(String string) {
        return (string + '\0').getBytes(StandardCharsets.UTF_8);
    }
}
