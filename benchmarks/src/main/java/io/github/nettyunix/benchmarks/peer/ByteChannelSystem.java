package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Settings;
import io.github.nettyunix.benchmarks.Type;
import io.github.nettyunix.benchmarks.Waiting;
import io.github.nettyunix.benchmarks.Workload;
import org.HdrHistogram.Histogram;
import org.newsclub.net.unix.AFSocketType;
import org.newsclub.net.unix.AFUNIXDatagramChannel;
import org.newsclub.net.unix.AFUNIXSelectorProvider;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketChannel;
import org.newsclub.net.unix.AFUNIXSocketPair;
import org.newsclub.net.unix.FileDescriptorCast;

import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import static io.github.nettyunix.benchmarks.Type.DATAGRAM;
import static io.github.nettyunix.benchmarks.Type.STREAM;

/**
 * Blocking channels of the JDK, or of junixsocket, whose classes extend the JDK's: one thread per connection and, on
 * streams, many messages per write.
 */
record ByteChannelSystem(String id, String title, boolean isJunixsocket) implements JavaSystem {
    static final List<ByteChannelSystem> ALL = List.of(
            new ByteChannelSystem("junixsocket", "junixsocket, blocking", true),
            new ByteChannelSystem("jdk", "JDK, blocking", false));

    private static final StandardProtocolFamily UNIX = StandardProtocolFamily.UNIX;
    private static final int BACKLOG = 4096;
    /** Nobody serves more connections with one thread for each. */
    private static final int MAX_CONNECTIONS = 256;
    private static final int READ_SIZE = 256 * 1024;
    private static final int WRITE_SIZE = 1024 * 1024;
    private static final int CONTROL_BYTES_OF_DESCRIPTOR = 64;

    /** Passed sockets and what they arrived with: when these are collected, junixsocket closes the sockets. */
    private static final List<Object> KEPT_ALIVE = new ArrayList<>();

    @Override
    public String unavailable() {
        return isJunixsocket && !AFUNIXSocket.isSupported() ? "its native library does not load" : null;
    }

    private SelectorProvider provider() {
        return isJunixsocket ? AFUNIXSelectorProvider.provider() : SelectorProvider.provider();
    }

    @Override
    public boolean supports(Workload workload) {
        boolean supported = switch (workload.operation()) {
            case ONE_WAY, ECHO, CONNECT -> workload.type() == STREAM || isJunixsocket && workload.type() != Type.MEMORY;
            case DESCRIPTORS -> isJunixsocket && workload.type() == STREAM;
            case SHARED, FILE, IN_PLACE -> false;
        };
        return supported && workload.waiting() == Waiting.SLEEP && workload.count() <= MAX_CONNECTIONS;
    }

    // ---- the server -------------------------------------------------------------------------------------------------

    private interface Task {
        void run() throws IOException;
    }

    private static void start(Task task) {
        new Thread(() -> {
            try {
                task.run();
            } catch (EOFException e) {
                // The client has closed the connection.
            } catch (IOException e) {
                e.printStackTrace();
                System.exit(1);
            }
        }).start();
    }

    @Override
    public Server newServer(Settings settings, Counters counters) throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(settings.server());
        if (settings.type() == DATAGRAM) {
            DatagramChannel datagrams = provider().openDatagramChannel(UNIX).bind(address);
            return () -> {
                datagrams.connect(UnixDomainSocketAddress.of(settings.client()));
                start(() -> receiveRecords(datagrams, settings, counters));
            };
        }
        ServerSocketChannel server = provider().openServerSocketChannel(UNIX).bind(address, BACKLOG);
        start(() -> {
            for (;;) {
                ByteChannel connection = settings.type() == STREAM ? server.accept() : acceptSeqpacket(server);
                switch (settings.operation()) {
                    case ONE_WAY -> start(() -> {
                        if (settings.type() == STREAM) {
                            receiveStream(connection, settings, counters);
                        } else {
                            receiveRecords(connection, settings, counters);
                        }
                    });
                    case ECHO -> start(() -> echo(connection));
                    case CONNECT -> receiveByte(connection, counters);
                    case DESCRIPTORS -> start(() ->
                            receiveDescriptors((AFUNIXSocketChannel) connection, settings, counters));
                    case SHARED, FILE, IN_PLACE -> throw new AssertionError();
                }
            }
        });
        return () -> { };
    }

    /** junixsocket cannot listen for seqpacket connections: the server passes one socket of a pair through a stream. */
    private static ByteChannel acceptSeqpacket(ServerSocketChannel server) throws IOException {
        AFUNIXSocketPair<AFUNIXDatagramChannel> pair = AFUNIXSelectorProvider.provider()
                .openDatagramChannelPair(AFSocketType.SOCK_SEQPACKET);
        try (AFUNIXSocketChannel carrier = (AFUNIXSocketChannel) server.accept()) {
            carrier.setOutboundFileDescriptors(pair.getSocket2().getFileDescriptor());
            carrier.write(ByteBuffer.allocate(1));
        }
        // Closing the client's socket here would shut it down there as well.
        KEPT_ALIVE.add(pair.getSocket2());
        return pair.getSocket1();
    }

    private static int read(ByteChannel connection, ByteBuffer buffer) throws IOException {
        int length = connection.read(buffer);
        if (length < 0) {
            connection.close();
            throw new EOFException();
        }
        return length;
    }

    private static void receiveStream(ByteChannel connection, Settings settings, Counters counters) throws IOException {
        int size = settings.size();
        ByteBuffer buffer = ByteBuffer.allocateDirect(READ_SIZE);
        ByteBuffer header = ByteBuffer.allocate(Settings.HEADER);
        int offset = 0;
        for (;;) {
            read(connection, buffer.clear());
            buffer.flip();
            while (buffer.hasRemaining()) {
                int start = buffer.position();
                if (offset == 0 && buffer.remaining() >= size) {
                    counters.message(size, buffer.getInt(start), buffer.getLong(start + Integer.BYTES));
                    buffer.position(start + size);
                    continue;
                }
                int part = Math.min((offset < Settings.HEADER ? Settings.HEADER : size) - offset, buffer.remaining());
                if (offset < Settings.HEADER) {
                    header.put(offset, buffer, start, part);
                }
                buffer.position(start + part);
                offset += part;
                if (offset == size) {
                    counters.message(size, header.getInt(0), header.getLong(Integer.BYTES));
                    offset = 0;
                }
            }
        }
    }

    private static void receiveRecords(ByteChannel connection, Settings settings, Counters counters)
            throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(settings.size() + 1);
        for (;;) {
            int length = read(connection, buffer.clear());
            counters.message(length, buffer.getInt(0), buffer.getLong(Integer.BYTES));
        }
    }

    private static void echo(ByteChannel connection) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);
        for (;;) {
            read(connection, buffer.clear());
            connection.write(buffer.flip());
        }
    }

    private static void receiveByte(ByteChannel connection, Counters counters) throws IOException {
        if (connection.read(ByteBuffer.allocate(1)) != 1) {
            counters.error();
        }
        connection.close();
        counters.one();
    }

    private static void receiveDescriptors(AFUNIXSocketChannel connection, Settings settings, Counters counters)
            throws IOException {
        connection.setAncillaryReceiveBufferSize(CONTROL_BYTES_OF_DESCRIPTOR + 4 * settings.count());
        ByteBuffer buffer = ByteBuffer.allocateDirect(settings.size());
        for (;;) {
            int length = read(connection, buffer.clear());
            FileDescriptor[] received = connection.getReceivedFileDescriptors();
            for (FileDescriptor fd : received) {
                new FileInputStream(fd).close();
            }
            if (received.length != settings.count()) {
                counters.error();
            }
            counters.message(length, buffer.getInt(0), buffer.getLong(Integer.BYTES));
        }
    }

    // ---- the client -------------------------------------------------------------------------------------------------

    @Override
    public Client newClient(Settings settings) throws IOException {
        return switch (settings.operation()) {
            case ONE_WAY -> {
                ByteChannel connection = connect(settings);
                yield nanos -> send(connection, settings, nanos, new FileDescriptor[0]);
            }
            case DESCRIPTORS -> {
                ByteChannel connection = connect(settings);
                FileDescriptor[] passed = new FileDescriptor[settings.count()];
                Arrays.fill(passed, new FileInputStream("/dev/null").getFD());
                yield nanos -> send(connection, settings, nanos, passed);
            }
            case CONNECT -> nanos -> connectRepeatedly(settings, nanos);
            case SHARED, FILE, IN_PLACE -> throw new AssertionError();
            case ECHO -> {
                List<EchoConnection> connections = new ArrayList<>();
                for (int i = 0; i < settings.count(); i++) {
                    connections.add(new EchoConnection(connect(settings), ByteBuffer.allocateDirect(settings.size()),
                            ByteBuffer.allocateDirect(settings.size()), JavaSystem.newLatencies(settings)));
                }
                ExecutorService threads = Executors.newFixedThreadPool(settings.count());
                yield nanos -> echo(threads, connections, nanos);
            }
        };
    }

    private ByteChannel connect(Settings settings) throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(settings.server());
        if (settings.type() == DATAGRAM) {
            return provider().openDatagramChannel(UNIX).bind(UnixDomainSocketAddress.of(settings.client()))
                    .connect(address);
        }
        SocketChannel connection = provider().openSocketChannel(UNIX);
        connection.connect(address);
        return settings.type() == STREAM ? connection : receiveSeqpacket((AFUNIXSocketChannel) connection);
    }

    private static ByteChannel receiveSeqpacket(AFUNIXSocketChannel carrier) throws IOException {
        carrier.setAncillaryReceiveBufferSize(CONTROL_BYTES_OF_DESCRIPTOR);
        carrier.read(ByteBuffer.allocate(1));
        FileDescriptorCast received = FileDescriptorCast.using(carrier.getReceivedFileDescriptors()[0]);
        KEPT_ALIVE.addAll(List.of(carrier, received));
        return received.as(ByteChannel.class);
    }

    private static void putHeader(ByteBuffer buffer, int start, int size, long number) {
        buffer.putInt(start, size - Integer.BYTES).putLong(start + Integer.BYTES, number);
    }

    private static Outcome send(ByteChannel connection, Settings settings, long nanos, FileDescriptor[] passed)
            throws IOException {
        int size = settings.size();
        int batch = settings.type() == STREAM && passed.length == 0
                ? Math.max(1, Math.min(Settings.BATCH, WRITE_SIZE / size)) : 1;
        ByteBuffer buffer = ByteBuffer.allocateDirect(batch * size);
        long start = System.nanoTime();
        long sent = 0;
        long end = start;
        do {
            for (int i = 0; i < batch; i++) {
                putHeader(buffer, i * size, size, sent++);
            }
            buffer.clear();
            if (passed.length > 0) {
                ((AFUNIXSocketChannel) connection).setOutboundFileDescriptors(passed);
            }
            while (buffer.hasRemaining()) {
                connection.write(buffer);
            }
            if (sent % Settings.BATCH == 0 || size >= READ_SIZE) {
                end = System.nanoTime();
            }
        } while (end - start < nanos);
        return new Outcome(sent, System.nanoTime() - start, 0, null);
    }

    private Outcome connectRepeatedly(Settings settings, long nanos) throws IOException {
        ByteBuffer one = ByteBuffer.allocateDirect(1);
        long start = System.nanoTime();
        long count = 0;
        long errors = 0;
        long end;
        do {
            ByteChannel connection = connect(settings);
            connection.write(one.clear());
            if (connection.read(one.clear()) >= 0) {
                errors++;
            }
            connection.close();
            count++;
            end = System.nanoTime();
        } while (end - start < nanos);
        return new Outcome(count, end - start, errors, null);
    }

    private record EchoConnection(ByteChannel channel, ByteBuffer out, ByteBuffer in, Histogram latencies) {
        Outcome run(long nanos) throws IOException {
            if (latencies != null) {
                latencies.reset();
            }
            long start = System.nanoTime();
            long last = start;
            long count = 0;
            long errors = 0;
            do {
                putHeader(out, 0, out.capacity(), ++count);
                channel.write(out.clear());
                in.clear();
                while (in.hasRemaining()) {
                    read(channel, in);
                }
                if (in.getLong(Integer.BYTES) != count) {
                    errors++;
                }
                long now = System.nanoTime();
                if (latencies != null) {
                    latencies.recordValue(now - last);
                }
                last = now;
            } while (last - start < nanos);
            return new Outcome(count, last - start, errors, latencies);
        }
    }

    private static Outcome echo(ExecutorService threads, List<EchoConnection> connections, long nanos)
            throws Exception {
        if (connections.size() == 1) {
            return connections.get(0).run(nanos);
        }
        List<Callable<Outcome>> tasks = new ArrayList<>();
        connections.forEach(connection -> tasks.add(() -> connection.run(nanos)));
        long start = System.nanoTime();
        long messages = 0;
        long errors = 0;
        for (Future<Outcome> future : threads.invokeAll(tasks)) {
            messages += future.get().messages();
            errors += future.get().errors();
        }
        return new Outcome(messages, System.nanoTime() - start, errors, null);
    }
}
