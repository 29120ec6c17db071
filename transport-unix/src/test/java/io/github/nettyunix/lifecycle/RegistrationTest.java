package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.endpoint.ConnectAttempt;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.FullBacklog;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.Future;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Channels are registered with event loops, move between them, and are closed with them. */
@ExtendWith(LeakCheckExtension.class)
class RegistrationTest {
    @TempDir
    private Path folder;

    private static void move(Channel channel) throws InterruptedException {
        EventLoop before = channel.eventLoop();
        channel.deregister().sync();
        assertFalse(channel.isRegistered());
        Loops.group().register(channel).sync();
        assertNotSame(before, channel.eventLoop());
    }

    private static void shutDown(EventLoopGroup group) throws InterruptedException {
        // With a quiet period of 0, a Netty loop may end before it has closed its channels.
        group.shutdownGracefully(100, 5000, TimeUnit.MILLISECONDS).sync();
    }

    @EachType
    void channelContinuesOnAnotherLoop(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.started(type)) {
            for (int i = 0; i < 10; i++) {
                pair.send("before " + i).sync();
                assertEquals("before " + i, pair.text());
                pair.receiver.deregister().sync();
                pair.send("between " + i).sync();
                Loops.group().register(pair.receiver).sync();
                assertEquals("between " + i, pair.text());
                move(pair.sender);
            }
            assertTrue(pair.receiver.isActive() && pair.inbox.isEmpty());
        }
        Evidence.of("itself", "a " + type + " channel moves to another event loop and loses nothing");
    }

    @EachType
    void writesThatWaitForRoomGoOnOnAnotherLoop(SocketType type) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .withSender(ChannelOption.SO_SNDBUF, 5000);
        try (ChannelPair pair = prepared.start()) {
            List<ChannelFuture> writes = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                writes.add(pair.send("x".repeat(1000)));
            }
            ChannelPair.settle(pair.sender);
            assertFalse(writes.get(99).isDone());
            move(pair.sender);
            move(pair.receiver);
            pair.receiver.config().setAutoRead(true);
            for (ChannelFuture write : writes) {
                assertTrue(write.await(10, TimeUnit.SECONDS));
                assertTrue(write.isSuccess());
            }
        }
    }

    /** Auto-read has requested a read before the channel leaves its loop. */
    @EachType
    void whatIsAskedForBetweenTwoLoopsHoldsOnTheNext(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.started(type)) {
            pair.receiver.deregister().sync();
            pair.receiver.config().setAutoRead(false);
            pair.send("first").sync();
            Loops.group().register(pair.receiver).sync();
            ChannelPair.settle(pair.receiver);
            assertTrue(pair.inbox.isEmpty());

            EventLoop before = pair.receiver.eventLoop();
            pair.receiver.deregister().sync();
            pair.receiver.read();
            before.submit(() -> { }).sync();
            Loops.group().register(pair.receiver).sync();
            assertEquals("first", pair.text());

            pair.receiver.deregister().sync();
            pair.receiver.config().setAutoRead(true);
            pair.send("second").sync();
            Loops.group().register(pair.receiver).sync();
            assertEquals("second", pair.text());
        }
    }

    @EachType
    void closeOfThePeerBetweenTwoLoopsIsNoticed(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.started(type)) {
            pair.receiver.deregister().sync();
            pair.send("last words").sync();
            pair.sender.close().sync();
            Loops.group().register(pair.receiver).sync();
            assertEquals("last words", pair.text());
            if (type != SocketType.DATAGRAM) {
                assertEquals(RecordingHandler.INACTIVE, pair.inbox.take());
            }
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void serverContinuesOnAnotherLoop(SocketType type) throws Exception {
        UnixSocketAddress address = UnixSocketAddress.of(folder.resolve("s"));
        BlockingQueue<RecordingHandler> accepted = new LinkedBlockingQueue<>();
        Channel server = Channels.server(type, () -> {
            RecordingHandler inbox = new RecordingHandler();
            accepted.add(inbox);
            return inbox;
        }).bind(address).sync().channel();
        for (int i = 0; i < 3; i++) {
            server.deregister().sync();
            // It waits in the backlog.
            Channel client = Channels.client(type, new RecordingHandler()).connect(address).sync().channel();
            assertTrue(accepted.isEmpty());
            Loops.group().register(server).sync();
            client.writeAndFlush(ChannelPair.buffer("x")).sync();
            assertEquals("x", ChannelPair.text(accepted.poll(10, TimeUnit.SECONDS).take()));
            client.close().sync();
        }
        server.close().sync();
    }

    @EachType
    void foreignEventLoopIsRefusedByItsNameAndWithWhatToDo(SocketType type) throws Exception {
        assertForeign(type, new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory()), "NioIoHandler");
        assertForeign(type, new MultiThreadIoEventLoopGroup(1, LocalIoHandler.newFactory()), "LocalIoHandler");
        assertForeign(type, new DefaultEventLoop(), DefaultEventLoop.class.getName());
    }

    private static void assertForeign(SocketType type, EventLoopGroup group, String driver)
            throws InterruptedException {
        for (Channel channel : Channels.pair(type)) {
            IllegalStateException cause = assertInstanceOf(IllegalStateException.class,
                    ChannelPair.failure(group.register(channel)));
            assertEquals("register " + type + ": the event loop is driven by " + driver
                    + ", AF_UNIX channels need epoll, io_uring or kqueue:"
                    + " new MultiThreadIoEventLoopGroup(UnixTransport.newIoHandlerFactory()) makes a group that fits",
                    cause.getMessage());
            assertFalse(channel.isOpen());
        }
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectThatWaitsIsTriedByItsNewLoopOnly(SocketType type) throws Exception {
        try (FullBacklog server = new FullBacklog(type, folder.resolve("full"))) {
            Channel channel = Channels.newClient(type);
            Channels.register(channel, new RecordingHandler());
            ChannelFuture connect = channel.connect(UnixSocketAddress.of(folder.resolve("full")));
            ConnectAttempt.Owner owner = (ConnectAttempt.Owner) channel.unsafe();
            ConnectAttempt pending = channel.eventLoop().submit(owner::connectAttempt).get();
            for (int i = 0; i < 10; i++) {
                EventLoop before = channel.eventLoop();
                Future<?> retry = before.submit(pending::retry).get();
                move(channel);
                // The task may just have run, and the new loop continues after it has completed the registration.
                before.submit(() -> { }).sync();
                ChannelPair.settle(channel);
                // Otherwise it would find the channel on its loop again when that returns.
                assertTrue(retry.isDone());
            }
            server.acceptAll();
            connect.sync();
            channel.close().sync();
        }
    }

    @EachType
    void groupThatShutsDownLeavesNothingOpen(SocketType type) throws Exception {
        Descriptors before = Descriptors.now();
        EventLoopGroup group = Loops.newGroup(2);
        List<Channel> channels = new ArrayList<>(Channels.pair(type));
        for (Channel channel : channels) {
            channel.pipeline().addLast(new RecordingHandler());
            group.register(channel).sync();
        }
        channels.get(0).config().setAutoRead(false);
        UnixFileDescriptor[] fds = Descriptors.some(5);
        ChannelFuture unflushed = channels.get(1).write(new UnixMessage(ChannelPair.buffer("x"), fds));

        Path path = folder.resolve("s");
        Channel bound = Channels.newBindable(type);
        group.register(bound).sync();
        bound.bind(UnixSocketAddress.of(path)).sync();
        Channel idle = Channels.newClient(type);
        group.register(idle).sync();
        channels.addAll(List.of(bound, idle));
        if (type == SocketType.DATAGRAM) {
            shutDown(group);
        } else {
            try (FullBacklog server = new FullBacklog(type, folder.resolve("full"))) {
                Channel connecting = Channels.newClient(type);
                group.register(connecting).sync();
                ChannelFuture connect = connecting.connect(UnixSocketAddress.of(folder.resolve("full")));
                ChannelPair.settle(connecting);
                channels.add(connecting);
                shutDown(group);
                ChannelPair.failure(connect);
                server.acceptAll();
            }
        }
        ChannelPair.failure(unflushed);
        assertEquals(0, Descriptors.countOpen(fds));
        channels.forEach(channel -> assertFalse(channel.isOpen()));
        assertFalse(Files.exists(path));
        before.assertUnchanged();
        Evidence.of("itself", "an event loop group that shuts down with open " + type
                + " channels leaves nothing open");
    }
}
