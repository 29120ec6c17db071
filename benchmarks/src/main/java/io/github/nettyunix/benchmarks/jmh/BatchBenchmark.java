package io.github.nettyunix.benchmarks.jmh;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.SendBatch;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.unix.FileDescriptor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** What a message costs below the channels: putting a batch together, and sending and receiving it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class BatchBenchmark {
    private static final int MESSAGES = ReceiveBatch.CAPACITY;
    private static final int MAX_LENGTH = 4096;

    private final ByteBuf content = Unpooled.directBuffer(64).writeZero(64);
    private UnixSocket one;
    private UnixSocket other;
    private FileDescriptor passed;

    @Setup(Level.Trial)
    public void open() throws IOException {
        UnixTransport.ensureAvailability();
        int[] fds = new int[2];
        if (UnixSocket.newSocketPair(SocketType.SEQPACKET.ordinal(), fds) < 0) {
            throw new IOException("socketpair");
        }
        one = new UnixSocket(fds[0]);
        other = new UnixSocket(fds[1]);
        passed = FileDescriptor.from("/dev/null");
    }

    @TearDown(Level.Trial)
    public void close() throws IOException {
        one.close();
        other.close();
        passed.close();
        content.release();
    }

    private SendBatch encode(boolean descriptors) {
        SendBatch batch = SendBatch.current();
        for (int i = 0; i < MESSAGES; i++) {
            batch.add(content, null);
            if (descriptors) {
                batch.addDescriptor(passed.intValue());
            }
        }
        return batch;
    }

    private int exchange(boolean descriptors) {
        encode(descriptors).sendRecords(one, 0);
        ReceiveBatch batch = ReceiveBatch.current();
        int count = batch.receive(other, MESSAGES, MAX_LENGTH, descriptors ? UnixSocket.MAX_FDS : 0,
                ReceiveBatch.RECORDS | (descriptors ? ReceiveBatch.CONTROL : 0));
        if (count != MESSAGES) {
            throw new IllegalStateException("received " + count);
        }
        return count;
    }

    /** Per message: the Java side of a batch. */
    @Benchmark
    @OperationsPerInvocation(MESSAGES)
    public int encodeBatch() {
        return encode(false).count();
    }

    /** Per message: sent and received, bytes only. */
    @Benchmark
    @OperationsPerInvocation(MESSAGES)
    public int sendAndReceive() {
        return exchange(false);
    }

    /** Per message: with one descriptor, which is decoded and closed. */
    @Benchmark
    @OperationsPerInvocation(MESSAGES)
    public int sendAndReceiveDescriptor() throws IOException {
        int count = exchange(true);
        ReceiveBatch batch = ReceiveBatch.current();
        for (int i = 0; i < count; i++) {
            new FileDescriptor(batch.descriptor(i, 0)).close();
        }
        return count;
    }
}
