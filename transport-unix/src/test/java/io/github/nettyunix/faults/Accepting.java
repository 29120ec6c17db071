package io.github.nettyunix.faults;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A server that accepts a connection, and serves it, on the event loop whose calls fail.
 *
 * @param credentials whether accepted sockets inherit {@code SO_PASSCRED}
 */
record Accepting(SocketType type, boolean credentials) implements Workload {
    /** Only what the server has sent back. */
    private static final class Answers extends RecordingHandler {
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
        }
    }

    @Override
    public String title() {
        return type + " server, accept" + (credentials ? " with SO_PASSCRED" : "");
    }

    @Override
    public Outcome run(Fault fault) throws Exception {
        Descriptors before = Descriptors.now();
        Outcome outcome = new Outcome(fault);
        Path folder = Files.createTempDirectory("faults");
        UnixSocketAddress address = UnixSocketAddress.of(folder.resolve("s"));
        Service.Reports reports = new Service.Reports();
        Channel server = Channels.server(FaultyLoop.GROUP, type, Service.Echo::new).handler(reports)
                .option(UnixSocketOption.SO_PASSCRED, credentials).bind(address).sync().channel();
        try {
            fault.arm();
            Answers inbox = new Answers();
            Channel client = Channels.client(type, inbox).connect(address).sync().channel();
            client.writeAndFlush(ChannelPair.buffer("hello"));
            outcome.await(() -> !inbox.isEmpty() || !client.isOpen(), () -> "the answer; " + reports.caught);
            Injector.clear();
            if (!client.isOpen() && server.isOpen()) {
                outcome.dropped();
                // That a new channel cannot be registered is what Netty only logs.
                Outcome.awaitPlainly(() -> fault.call().names().contains("epoll_ctl") || !reports.caught.isEmpty(),
                        "a report of the connection that has gone");
            } else if (server.isOpen()) {
                ChannelPair.text(inbox.take());
            } else {
                outcome.closed();
            }
            outcome.caught(reports.caught);
            inbox.release();
            client.close().sync();
            if (server.isOpen()) {
                Service.assertServes(type, address, null);
            }
        } finally {
            Injector.clear();
            server.close().sync();
            Files.delete(folder);
        }
        before.assertUnchanged();
        return outcome;
    }
}
