package io.github.nettyunix.datagram;

import io.github.nettyunix.DatagramQueueFull;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.internal.socket.SendBatch;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.CountedCalls;
import io.github.nettyunix.testing.DatagramQueue;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** How many system calls a flush makes when recipients have no room. */
@Tag("once")
@EnabledOnOs(OS.LINUX)
@ExtendWith(LeakCheckExtension.class)
class DatagramSystemCallsTest {
    @TempDir
    private Path folder;

    private final RecordingHandler inbox = new RecordingHandler();
    private final List<Channel> channels = new ArrayList<>();
    private EventLoopGroup group;
    private UnixSocketAddress stopped;
    private UnixSocketAddress alsoStopped;
    private UnixSocketAddress reading;
    private UnixDatagramChannel sender;
    private CountedCalls calls;

    @BeforeEach
    void start() throws Exception {
        stopped = newReceiver("stopped", false);
        alsoStopped = newReceiver("also stopped", false);
        reading = newReceiver("reading", true);
        group = Loops.newGroup(1);
        sender = (UnixDatagramChannel) Channels.client(group, SocketType.DATAGRAM, new RecordingHandler())
                .option(ChannelOption.SO_SNDBUF, DatagramQueue.SEND_BUFFER).register().sync().channel();
        calls = CountedCalls.of(sender.eventLoop(), "sendmmsg", "sendmsg", "sendto");
    }

    private UnixSocketAddress newReceiver(String name, boolean autoRead) throws Exception {
        UnixSocketAddress address = UnixSocketAddress.of(folder.resolve(name));
        channels.add(Channels.client(SocketType.DATAGRAM, autoRead ? inbox : new RecordingHandler())
                .option(ChannelOption.AUTO_READ, autoRead).bind(address).sync().channel());
        return address;
    }

    @AfterEach
    void stop() throws Exception {
        for (Channel channel : channels) {
            channel.close().sync();
        }
        sender.close().sync();
        group.shutdownGracefully(0, 5000, TimeUnit.MILLISECONDS).sync();
    }

    private ChannelFuture write(UnixSocketAddress recipient, String text) {
        return sender.write(new UnixDatagramPacket(ChannelPair.buffer(text), recipient));
    }

    private ChannelFuture fill(UnixSocketAddress recipient) {
        for (int i = 1; i < DatagramQueue.TOO_MANY; i++) {
            write(recipient, "fills the queue");
        }
        ChannelFuture last = write(recipient, "finds no room");
        sender.flush();
        return last;
    }

    @ParameterizedTest
    @CsvSource({"FAIL, false", "FAIL, true", "DROP, false", "DROP, true"})
    void aBatchMakesOneCallForEachFullRecipient(DatagramQueueFull policy, boolean connected) throws Exception {
        assertTrue(sender.config().setOption(UnixSocketOption.DATAGRAM_QUEUE_FULL, policy));
        if (connected) {
            sender.connect(stopped).sync();
        }
        UnixSocketAddress first = connected ? null : stopped;
        fill(first).await();
        fill(alsoStopped).await();
        List<ChannelFuture> writes = new ArrayList<>();
        int many = 5 * SendBatch.CAPACITY;
        assertEquals(5, calls.during(() -> {
            for (int i = 0; i < many; i++) {
                writes.add(write(first, "finds no room"));
            }
            sender.flush();
        }));
        assertEquals(3, calls.during(() -> {
            for (int i = 1; i < SendBatch.CAPACITY; i++) {
                writes.add(write(i % 2 == 0 ? first : alsoStopped, "finds no room"));
            }
            write(reading, "passes");
            sender.flush();
        }));
        assertEquals("passes", ChannelPair.text(inbox.take()));
        for (ChannelFuture write : writes) {
            assertEquals(policy == DatagramQueueFull.DROP, write.await().isSuccess());
        }
        Evidence.of("itself", policy + " makes one system call for all datagrams of a batch to a full recipient"
                + (connected ? ", also when connected" : ""));
    }

    @Test
    void aFlushMakesOneCallHoweverManyWaitForAnotherRecipient() throws Exception {
        assertTrue(sender.config().setOption(UnixSocketOption.DATAGRAM_WAIT_MILLIS, 0));
        for (int i = 0; i < 10_000; i++) {
            write(stopped, "waits");
        }
        ChannelFuture waiting = fill(alsoStopped);
        // The attempts to reach the stopped recipients are 100 ms apart by now.
        LoopCpu.assertIdle(sender.eventLoop());
        int flushes = 50;
        int made = 0;
        for (int i = 0; i < flushes; i++) {
            String text = "passes " + i;
            made += calls.during(() -> {
                write(reading, text);
                sender.flush();
            });
            assertEquals(text, ChannelPair.text(inbox.take()));
        }
        assertFalse(waiting.isDone());
        // An attempt may be due during a flush, but not during each.
        assertTrue(made < 2 * flushes, made + " calls");
        Evidence.of("itself", "a flush makes one system call however many datagrams wait for another recipient");
    }
}
