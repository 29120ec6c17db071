package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Operation;
import io.github.nettyunix.benchmarks.Settings;
import io.github.nettyunix.benchmarks.SocketKind;
import io.github.nettyunix.benchmarks.Workload;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** A system of blocking sockets: one thread a connection. Where it can, it puts many messages into one write. */
abstract class BlockingContestant extends JavaContestant {
    /** More threads than this are no way to serve connections. */
    private static final int MOST_CONNECTIONS = 256;
    private static final int READ_SIZE = 256 * 1024;
    private static final int WRITE_SIZE = 1024 * 1024;

    BlockingContestant(String id, String title) {
        super(id, title);
    }

    /** Accepts connections. */
    interface Acceptor {
        ByteChannel accept() throws IOException;
    }

    abstract Acceptor listen(Settings settings) throws IOException;

    abstract ByteChannel connect(Settings settings) throws IOException;

    abstract boolean supports(SocketKind kind);

    boolean canPassDescriptors(SocketKind kind) {
        return false;
    }

    /** The server's socket; it is associated with the client's by {@link #connectBack}. */
    ByteChannel bindDatagrams(Settings settings) throws IOException {
        throw new UnsupportedOperationException();
    }

    void connectBack(Settings settings, ByteChannel datagrams) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Closes the descriptors that came with the last read; answers how many they were. */
    int closeReceived(ByteChannel connection) throws IOException {
        throw new UnsupportedOperationException();
    }

    void allowDescriptors(ByteChannel connection, int count) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** With the next write go so many descriptors of {@code /dev/null}. */
    void attachDescriptors(ByteChannel connection, int count) throws IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean supports(Workload workload) {
        return supports(workload.kind()) && !workload.spin() && workload.count() <= MOST_CONNECTIONS
                && workload.operation() != Operation.SHARED && workload.operation() != Operation.FILE
                && (workload.operation() != Operation.DESCRIPTORS || canPassDescriptors(workload.kind()));
    }

    private interface Task {
        void run() throws Exception;
    }

    private static void inThread(Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (EOFException e) {
                // The client has gone.
            } catch (Exception e) {
                e.printStackTrace();
                System.exit(1);
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    // ---- the server -------------------------------------------------------------------------------------------------

    @Override
    Server newServer(Settings settings, Tally tally) throws Exception {
        if (settings.kind() == SocketKind.DATAGRAM) {
            ByteChannel datagrams = bindDatagrams(settings);
            boolean[] connected = new boolean[1];
            return new Server() {
                @Override
                public void beforeRound() throws IOException {
                    if (!connected[0]) {
                        connected[0] = true;
                        connectBack(settings, datagrams);
                        inThread(() -> receiveRecords(datagrams, settings, tally));
                    }
                }
            };
        }
        Acceptor acceptor = listen(settings);
        inThread(() -> {
            for (;;) {
                ByteChannel connection = acceptor.accept();
                if (settings.operation() == Operation.CONNECT) {
                    takeByte(connection, tally);
                } else {
                    inThread(() -> serve(connection, settings, tally));
                }
            }
        });
        return new Server() { };
    }

    private void serve(ByteChannel connection, Settings settings, Tally tally) throws IOException {
        switch (settings.operation()) {
            case ONE_WAY -> {
                if (settings.kind() == SocketKind.STREAM) {
                    receiveStream(connection, settings, tally);
                } else {
                    receiveRecords(connection, settings, tally);
                }
            }
            case ECHO -> echo(connection);
            case DESCRIPTORS -> receiveDescriptors(connection, settings, tally);
            default -> throw new AssertionError();
        }
    }

    private static int read(ByteChannel connection, ByteBuffer buffer) throws IOException {
        int length = connection.read(buffer);
        if (length < 0) {
            connection.close();
            throw new EOFException();
        }
        return length;
    }

    private static void receiveStream(ByteChannel connection, Settings settings, Tally tally) throws IOException {
        int size = settings.size();
        ByteBuffer buffer = ByteBuffer.allocateDirect(READ_SIZE);
        ByteBuffer header = ByteBuffer.allocate(Settings.HEADER);
        int offset = 0;
        for (;;) {
            buffer.clear();
            read(connection, buffer);
            buffer.flip();
            while (buffer.hasRemaining()) {
                int start = buffer.position();
                if (offset == 0 && buffer.remaining() >= size) {
                    tally.message(size, buffer.getInt(start), buffer.getLong(start + Integer.BYTES));
                    buffer.position(start + size);
                    continue;
                }
                int part = Math.min(offset < Settings.HEADER ? Settings.HEADER - offset : size - offset, buffer.remaining());
                if (offset < Settings.HEADER) {
                    header.put(offset, buffer, start, part);
                }
                buffer.position(start + part);
                offset += part;
                if (offset == size) {
                    tally.message(size, header.getInt(0), header.getLong(Integer.BYTES));
                    offset = 0;
                }
            }
        }
    }

    private static void receiveRecords(ByteChannel connection, Settings settings, Tally tally) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(settings.size() + 1);
        for (;;) {
            buffer.clear();
            int length = read(connection, buffer);
            tally.message(length, buffer.getInt(0), buffer.getLong(Integer.BYTES));
        }
    }

    private static void echo(ByteChannel connection) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);
        for (;;) {
            buffer.clear();
            read(connection, buffer);
            buffer.flip();
            connection.write(buffer);
        }
    }

    private static void takeByte(ByteChannel connection, Tally tally) throws IOException {
        if (connection.read(ByteBuffer.allocate(1)) != 1) {
            tally.error();
        }
        connection.close();
        tally.one();
    }

    private void receiveDescriptors(ByteChannel connection, Settings settings, Tally tally) throws IOException {
        allowDescriptors(connection, settings.count());
        ByteBuffer buffer = ByteBuffer.allocateDirect(settings.size());
        for (;;) {
            buffer.clear();
            int length = read(connection, buffer);
            if (closeReceived(connection) != settings.count()) {
                tally.error();
            }
            tally.message(length, buffer.getInt(0), buffer.getLong(Integer.BYTES));
        }
    }

    // ---- the client -------------------------------------------------------------------------------------------------

    @Override
    Client newClient(Settings settings) throws Exception {
        return switch (settings.operation()) {
            case ONE_WAY -> {
                ByteChannel connection = connect(settings);
                yield nanos -> send(connection, settings, nanos, false);
            }
            case DESCRIPTORS -> {
                ByteChannel connection = connect(settings);
                yield nanos -> send(connection, settings, nanos, true);
            }
            case CONNECT -> nanos -> connections(settings, nanos);
            case SHARED, FILE -> throw new UnsupportedOperationException();
            case ECHO -> {
                List<EchoConnection> connections = new ArrayList<>();
                for (int i = 0; i < settings.count(); i++) {
                    connections.add(new EchoConnection(connect(settings), settings));
                }
                ExecutorService threads = Executors.newFixedThreadPool(settings.count(), task -> {
                    Thread thread = new Thread(task);
                    thread.setDaemon(true);
                    return thread;
                });
                yield nanos -> echo(threads, connections, nanos);
            }
        };
    }

    private static void putHeader(ByteBuffer buffer, int start, int size, long number) {
        buffer.putInt(start, size - Integer.BYTES).putLong(start + Integer.BYTES, number);
    }

    private Client.Outcome send(ByteChannel connection, Settings settings, long nanos, boolean descriptors) throws IOException {
        int size = settings.size();
        int batch = settings.kind() == SocketKind.STREAM && !descriptors
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
            if (descriptors) {
                attachDescriptors(connection, settings.count());
            }
            while (buffer.hasRemaining()) {
                connection.write(buffer);
            }
            if (sent % Settings.BATCH == 0 || size >= READ_SIZE) {
                end = System.nanoTime();
            }
        } while (end - start < nanos);
        return new Client.Outcome(sent, System.nanoTime() - start, 0);
    }

    private Client.Outcome connections(Settings settings, long nanos) throws IOException {
        ByteBuffer one = ByteBuffer.allocateDirect(1);
        long start = System.nanoTime();
        long count = 0;
        long errors = 0;
        long end;
        do {
            ByteChannel connection = connect(settings);
            one.clear();
            connection.write(one);
            one.clear();
            if (connection.read(one) >= 0) {
                errors++;
            }
            connection.close();
            count++;
            end = System.nanoTime();
        } while (end - start < nanos);
        return new Client.Outcome(count, end - start, errors);
    }

    private static final class EchoConnection {
        private final ByteChannel channel;
        private final int size;
        private final ByteBuffer out;
        private final ByteBuffer in;
        private final int[] latencies;
        private long number;

        EchoConnection(ByteChannel channel, Settings settings) {
            this.channel = channel;
            size = settings.size();
            out = ByteBuffer.allocateDirect(size);
            in = ByteBuffer.allocateDirect(size);
            latencies = settings.count() == 1 ? new int[1 << 24] : null;
        }

        Client.Outcome run(long nanos) throws IOException {
            long start = System.nanoTime();
            long last = start;
            int count = 0;
            long errors = 0;
            do {
                putHeader(out, 0, size, ++number);
                out.clear();
                channel.write(out);
                in.clear();
                while (in.hasRemaining()) {
                    read(channel, in);
                }
                if (in.getLong(Integer.BYTES) != number) {
                    errors++;
                }
                long now = System.nanoTime();
                if (latencies != null && count < latencies.length) {
                    latencies[count] = (int) (now - last);
                }
                last = now;
                count++;
            } while (last - start < nanos);
            return new Client.Outcome(count, last - start, errors, latencies == null ? null
                    : Arrays.copyOf(latencies, Math.min(count, latencies.length)));
        }
    }

    private static Client.Outcome echo(ExecutorService threads, List<EchoConnection> connections, long nanos)
            throws Exception {
        if (connections.size() == 1) {
            return connections.get(0).run(nanos);
        }
        List<Callable<Client.Outcome>> tasks = new ArrayList<>();
        connections.forEach(connection -> tasks.add(() -> connection.run(nanos)));
        long start = System.nanoTime();
        long messages = 0;
        long errors = 0;
        for (Future<Client.Outcome> future : threads.invokeAll(tasks)) {
            messages += future.get().messages();
            errors += future.get().errors();
        }
        return new Client.Outcome(messages, System.nanoTime() - start, errors);
    }
}
