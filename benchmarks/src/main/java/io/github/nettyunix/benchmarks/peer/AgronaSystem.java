package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Operation;
import io.github.nettyunix.benchmarks.Settings;
import io.github.nettyunix.benchmarks.Type;
import io.github.nettyunix.benchmarks.Waiting;
import io.github.nettyunix.benchmarks.Workload;
import org.HdrHistogram.Histogram;
import org.agrona.IoUtil;
import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Bare rings in shared memory, one in each direction: the limit for what moves messages through memory. A thread on
 * either side does nothing else and never sleeps. Messages are copied into the ring, and read where they are.
 */
record AgronaSystem() implements JavaSystem {
    /** As large as the memory of our channels. Messages have up to an eighth of it. */
    private static final int CAPACITY = 1 << 20;
    private static final int MESSAGE = 1;

    @Override
    public String id() {
        return "agrona";
    }

    @Override
    public String title() {
        return "Agrona, a bare ring";
    }

    @Override
    public Role role() {
        return Role.LIMIT;
    }

    @Override
    public boolean supports(Workload workload) {
        return workload.type() == Type.MEMORY && workload.size() <= CAPACITY / Long.BYTES
                && workload.operation() != Operation.IN_PLACE
                && (workload.operation() == Operation.ONE_WAY || workload.waiting() == Waiting.SPIN);
    }

    @Override
    public List<String> command(String side, Settings settings) {
        List<String> command = new ArrayList<>(JavaSystem.super.command(side, settings));
        command.add(1, "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED");
        return command;
    }

    /** The file of a ring, in memory. */
    private static File file(Settings settings, String direction) {
        return Path.of("/dev/shm", settings.folder().getFileName() + "-" + direction).toFile();
    }

    private static RingBuffer create(Settings settings, String direction) throws IOException {
        Files.write(file(settings, direction).toPath(), new byte[CAPACITY + RingBufferDescriptor.TRAILER_LENGTH]);
        return map(settings, direction);
    }

    private static RingBuffer map(Settings settings, String direction) {
        return new OneToOneRingBuffer(new UnsafeBuffer(IoUtil.mapExistingFile(file(settings, direction), direction)));
    }

    private static void write(RingBuffer ring, UnsafeBuffer message) {
        while (!ring.write(MESSAGE, message, 0, message.capacity())) {
            Thread.onSpinWait();
        }
    }

    @Override
    public Server newServer(Settings settings, Counters counters) throws IOException {
        RingBuffer requests = create(settings, "requests");
        RingBuffer responses = create(settings, "responses");
        UnsafeBuffer response = new UnsafeBuffer(ByteBuffer.allocateDirect(settings.size()));
        MessageHandler handler = settings.operation() == Operation.ONE_WAY
                ? (type, buffer, index, length) ->
                        counters.message(length, buffer.getInt(index), buffer.getLong(index + Integer.BYTES))
                : (type, buffer, index, length) -> {
                    response.putBytes(0, buffer, index, length);
                    write(responses, response);
                };
        new Thread(() -> {
            for (;;) {
                if (requests.read(handler) == 0) {
                    Thread.onSpinWait();
                }
            }
        }).start();
        return () -> { };
    }

    @Override
    public Client newClient(Settings settings) throws IOException {
        RingBuffer requests = map(settings, "requests");
        RingBuffer responses = map(settings, "responses");
        Files.delete(file(settings, "requests").toPath());
        Files.delete(file(settings, "responses").toPath());
        UnsafeBuffer message = new UnsafeBuffer(ByteBuffer.allocateDirect(settings.size()));
        message.putInt(0, settings.size() - Integer.BYTES);
        return settings.operation() == Operation.ONE_WAY ? nanos -> send(requests, message, nanos)
                : nanos -> echo(requests, responses, message, JavaSystem.newLatencies(settings), nanos);
    }

    private static Outcome send(RingBuffer requests, UnsafeBuffer message, long nanos) {
        long start = System.nanoTime();
        long sent = 0;
        do {
            for (int i = 0; i < Settings.BATCH; i++) {
                message.putLong(Integer.BYTES, sent++);
                write(requests, message);
            }
        } while (System.nanoTime() - start < nanos);
        return new Outcome(sent, System.nanoTime() - start, 0, null);
    }

    private static Outcome echo(RingBuffer requests, RingBuffer responses, UnsafeBuffer message, Histogram latencies,
                                long nanos) {
        Counters counters = new Counters(message.capacity());
        MessageHandler handler = (type, buffer, index, length) ->
                counters.message(length, buffer.getInt(index), buffer.getLong(index + Integer.BYTES));
        long start = System.nanoTime();
        long last = start;
        long sent = 0;
        do {
            message.putLong(Integer.BYTES, sent++);
            write(requests, message);
            while (responses.read(handler) == 0) {
                Thread.onSpinWait();
            }
            long now = System.nanoTime();
            latencies.recordValue(now - last);
            last = now;
        } while (last - start < nanos);
        return new Outcome(sent, last - start, counters.errors(), latencies);
    }
}
