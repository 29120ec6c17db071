package io.github.nettyunix.fire;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.handler.FileDescriptorQueueHandler;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.ReferenceCounted;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** The last handler of a channel: it writes down what arrives, and does random things. */
final class Receiver extends ChannelDuplexHandler {
    private static final int HAND_OVER_MICROS = 500_000;

    private final Case owner;
    private final Scenario scenario;
    private final SplittableRandom random;
    private final List<EventLoopGroup> loops;
    /** By sender: of a connection there is one. */
    private final Function<UnixSocketAddress, Observed> observed;
    private final FileDescriptorQueueHandler queue;
    private final OptionChanges options;
    private final Writer writer;
    private final boolean moves;
    private boolean moving;
    private boolean handedOver;

    /** @param queue where descriptors are, if they do not come with their messages; or null */
    Receiver(Case owner, int number, List<EventLoopGroup> loops, FileDescriptorQueueHandler queue,
            Function<UnixSocketAddress, Observed> observed) {
        this.owner = owner;
        scenario = owner.scenario;
        random = new SplittableRandom(scenario.seed ^ (number + 1) * 0x9E3779B97F4A7C15L);
        moves = random.nextInt(2) == 0;
        options = new OptionChanges(owner, owner::random);
        writer = new Writer(owner);
        this.loops = loops;
        this.queue = queue;
        this.observed = observed;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        if (!scenario.autoRead) {
            readOnDemand(ctx.channel());
        }
        if (scenario.greetings > 0 && scenario.type != SocketType.DATAGRAM) {
            writer.write(ctx.channel(), observed.apply(null), null, scenario.greetings);
        }
        ctx.fireChannelActive();
    }

    /** Asks for messages now and then, and at last for all of them. */
    private void readOnDemand(Channel channel) {
        int reads = random.nextInt(20);
        for (int i = 0; i < reads; i++) {
            later(channel, random.nextInt(10_000), channel::read);
        }
        later(channel, scenario.idles && oneIn(2) ? 200_000 : 10_000, () -> channel.config().setAutoRead(true));
    }

    /**
     * Does something on another thread; on the channel's loop if it moves, since Netty lets no other thread use a
     * channel while it does.
     */
    private void later(Channel channel, int micros, Runnable task) {
        owner.later(micros, () -> {
            if (moves) {
                onLoop(channel, task);
            } else {
                task.run();
            }
        });
    }

    private void onLoop(Channel channel, Runnable task) {
        channel.eventLoop().execute(() -> {
            if (!channel.isOpen() || channel.isRegistered() && channel.eventLoop().inEventLoop()) {
                task.run();
            } else {
                owner.later(1_000, () -> onLoop(channel, task));
            }
        });
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        UnixSocketAddress sender = null;
        boolean stream = scenario.type == SocketType.STREAM;
        Observed seen;
        if (message instanceof UnixMessage unixMessage) {
            sender = message instanceof UnixDatagramPacket packet ? packet.sender() : null;
            seen = observed.apply(sender);
            seen.received(unixMessage.content(), stream, unixMessage, null);
        } else if (message instanceof DomainDatagramPacket packet) {
            sender = UnixSocketAddress.from(packet.sender());
            seen = observed.apply(sender);
            seen.received(packet.content(), false, null, null);
        } else if (message instanceof FileDescriptor fd) {
            seen = observed.apply(null);
            seen.received(fd);
        } else {
            seen = observed.apply(null);
            seen.received((ByteBuf) message, stream, null, queue == null ? null : takeQueued());
        }
        try {
            if (random.nextInt(1000) < scenario.replies) {
                reply(ctx.channel(), seen, sender);
            }
            if (random.nextInt(1000) < scenario.chaos) {
                act(ctx, seen, sender, message);
            }
        } finally {
            if (message instanceof FileDescriptor fd) {
                close(fd);
            }
            ReferenceCountUtil.release(message);
        }
    }

    private List<String> takeQueued() {
        List<String> links = new ArrayList<>();
        for (UnixFileDescriptor fd; (fd = queue.poll()) != null;) {
            links.add(Observed.link(fd));
            fd.release();
        }
        return links;
    }

    private void reply(Channel channel, Observed seen, UnixSocketAddress sender) {
        if (oneIn(20)) {
            // The peer may be gone by then.
            pause();
        }
        writer.write(channel, seen, recipient(sender), 1);
    }

    /** What was sent to a connected socket comes from its peer. Order holds among messages that name the recipient. */
    private UnixSocketAddress recipient(UnixSocketAddress sender) {
        return scenario.connects ? null : sender;
    }

    private void close(FileDescriptor fd) {
        try {
            fd.close();
        } catch (IOException e) {
            owner.problem("close: " + e);
        }
    }

    private boolean oneIn(int count) {
        return random.nextInt(count) == 0;
    }

    private void act(ChannelHandlerContext ctx, Observed seen, UnixSocketAddress sender, Object message) {
        Channel channel = ctx.channel();
        switch (random.nextInt(15)) {
            case 0 -> {
                channel.config().setAutoRead(false);
                if (oneIn(2)) {
                    channel.config().setAutoRead(true);
                } else {
                    readOnDemand(channel);
                }
            }
            case 1, 2 -> changeOption(channel);
            case 3 -> move(channel);
            case 4, 5 -> writer.write(channel, seen, recipient(sender), 1 + random.nextInt(oneIn(3) ? 200 : 3));
            case 6 -> later(channel, random.nextInt(2_000), () -> writer.write(channel, seen, recipient(sender), 2));
            case 7, 8 -> keep(message);
            case 9 -> pause();
            case 10 -> channel.read();
            case 11 -> handOver(channel, seen);
            case 12 -> {
                if (oneIn(8)) {
                    handOverWithoutOutput(channel, seen);
                }
            }
            default -> close(channel, seen);
        }
    }

    /** In the middle of a turn, or on another thread. */
    private void changeOption(Channel channel) {
        if (!scenario.changesOptions && !scenario.switchesMode) {
            return;
        }
        int option = random.nextInt(1_000);
        if (oneIn(2)) {
            options.change(channel, option);
        } else {
            owner.later(random.nextInt(2_000), () -> options.change(channel, option));
        }
    }

    private void move(Channel channel) {
        EventLoopGroup target = loops.get(random.nextInt(loops.size()));
        if (!moves || moving) {
            return;
        }
        moving = true;
        channel.deregister().addListener(deregistered -> {
            if (channel.isOpen() && !channel.isRegistered()) {
                target.register(channel).addListener(registered -> {
                    moving = false;
                    if (!registered.isSuccess() && channel.isOpen()) {
                        owner.problem("register failed: " + registered.cause());
                    }
                });
            }
        });
    }

    /** The channel's socket gets another channel, which goes on where this one stops. */
    private void handOver(Channel channel, Observed seen) {
        if (!scenario.handsOver || handedOver || scenario.type == SocketType.DATAGRAM) {
            return;
        }
        handedOver = true;
        // Otherwise it may be closed by now, or with another loop.
        moving = true;
        owner.begin();
        var handOver = UnixTransport.handOver(channel);
        // A peer that does not read what was written before delays it, for ever if its own socket waits to be received.
        owner.later(HAND_OVER_MICROS, () -> {
            if (!handOver.isDone()) {
                synchronized (seen) {
                    seen.closedHere = true;
                }
                channel.close();
            }
        });
        handOver.addListener(done -> {
            if (done.isSuccess()) {
                synchronized (seen) {
                    seen.left.add(channel);
                }
                owner.adopt((UnixFileDescriptor) done.getNow(), seen);
            } else if (!(done.cause() instanceof ClosedChannelException)
                    && !(moves && done.cause() instanceof IllegalStateException)
                    && !(scenario.limitsDescriptors && done.cause() instanceof UnixSocketError error
                            && error.error() == UnixErrno.EMFILE)) {
                owner.problem("hand over: " + done.cause());
            }
            owner.end();
        });
    }

    private void handOverWithoutOutput(Channel channel, Observed seen) {
        if (scenario.handsOver && scenario.closes && scenario.type != SocketType.DATAGRAM) {
            synchronized (seen) {
                seen.shutDownHere = true;
            }
            ((DuplexChannel) channel).shutdownOutput();
            handOver(channel, seen);
        }
    }

    /** Here the order of the writes is known, whatever threads they come from. */
    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        writer.passes(message, promise);
        ctx.write(message, promise);
    }

    /** Holds the message for a while; its descriptors must not become others meanwhile. */
    private void keep(Object message) {
        if (!(message instanceof ReferenceCounted)) {
            return;
        }
        ReferenceCounted kept = ReferenceCountUtil.retain((ReferenceCounted) message);
        List<UnixFileDescriptor> fds = message instanceof UnixMessage m ? m.fileDescriptors() : List.of();
        List<String> before = fds.stream().map(Observed::link).toList();
        owner.later(random.nextInt(20_000), () -> {
            List<String> after = fds.stream().map(Observed::link).toList();
            if (!after.equals(before)) {
                owner.problem("descriptors of a kept message became others: " + before + ", now " + after);
            }
            kept.release();
        });
    }

    private void pause() {
        try {
            TimeUnit.MICROSECONDS.sleep(random.nextInt(3_000));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void close(Channel channel, Observed seen) {
        if (!scenario.closes || scenario.type == SocketType.DATAGRAM) {
            return;
        }
        int how = random.nextInt(6);
        Runnable close = () -> {
            synchronized (seen) {
                if (how < 3) {
                    seen.shutDownHere = true;
                } else {
                    seen.closedHere = true;
                }
            }
            DuplexChannel connection = (DuplexChannel) channel;
            switch (how) {
                case 0, 1, 2 -> connection.shutdownOutput();
                case 3 -> {
                    // It stays open without the end of the peer's output.
                    connection.shutdownInput();
                    later(channel, 10_000, channel::close);
                }
                case 4 -> connection.shutdown().addListener(done -> channel.close());
                default -> channel.close();
            }
        };
        if (oneIn(2)) {
            close.run();
        } else {
            later(channel, random.nextInt(1_000), close);
        }
    }

    /** Closes a channel when it has written everything. If the peer ends before, it closes by itself. */
    private void closeWhenWritten(Channel channel, Observed seen) {
        later(channel, 20_000, () -> {
            boolean written;
            synchronized (seen) {
                written = seen.written.stream().allMatch(message -> message.future().isDone());
            }
            if (written || !channel.isOpen()) {
                channel.close();
            } else {
                closeWhenWritten(channel, seen);
            }
        });
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent || event instanceof ChannelInputShutdownReadComplete) {
            closeWhenWritten(ctx.channel(), observed.apply(null));
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        observed.apply(senderOf(cause)).failed(cause);
    }

    private static UnixSocketAddress senderOf(Throwable cause) {
        return cause instanceof MessageTruncatedException e ? e.sender()
                : cause instanceof ControlDataTruncatedException e ? e.sender() : null;
    }
}
