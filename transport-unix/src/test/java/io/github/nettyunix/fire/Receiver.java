package io.github.nettyunix.fire;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.ReferenceCounted;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/** The last handler of a channel: it writes down what arrives, and does random things. */
final class Receiver extends ChannelDuplexHandler {
    private static final int MOST_ATTEMPTS = 100;

    private final Case owner;
    private final Scenario scenario;
    private final SplittableRandom random;
    private final List<EventLoopGroup> loops;
    /** By sender: of a connection there is one. */
    private final Function<UnixSocketAddress, Observed> observed;
    private final boolean moves;
    private boolean moving;
    private boolean handedOver;
    private int writes;
    /** What is in the pipeline, on its way here. */
    private final Map<Object, Consumer<ChannelFuture>> writing = Collections.synchronizedMap(new IdentityHashMap<>());

    Receiver(Case owner, int number, List<EventLoopGroup> loops, Function<UnixSocketAddress, Observed> observed) {
        this.owner = owner;
        scenario = owner.scenario;
        random = new SplittableRandom(scenario.seed ^ (number + 1) * 0x9E3779B97F4A7C15L);
        moves = random.nextInt(2) == 0;
        this.loops = loops;
        this.observed = observed;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        if (!scenario.autoRead) {
            readOnDemand(ctx.channel());
        }
        ctx.fireChannelActive();
    }

    /** Asks for messages now and then, and at last for all of them. */
    private void readOnDemand(Channel channel) {
        int reads = random.nextInt(20);
        for (int i = 0; i < reads; i++) {
            later(channel, random.nextInt(10_000), channel::read);
        }
        later(channel, scenario.idles && oneIn(2) ? 400_000 : 10_000, () -> channel.config().setAutoRead(true));
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
            seen.received(unixMessage.content(), stream, unixMessage);
        } else if (message instanceof DomainDatagramPacket packet) {
            sender = UnixSocketAddress.from(packet.sender());
            seen = observed.apply(sender);
            seen.received(packet.content(), false, null);
        } else if (message instanceof FileDescriptor fd) {
            seen = observed.apply(null);
            seen.received(fd);
        } else {
            seen = observed.apply(null);
            seen.received((ByteBuf) message, stream, null);
        }
        try {
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
        switch (random.nextInt(14)) {
            case 0 -> {
                channel.config().setAutoRead(false);
                if (oneIn(2)) {
                    channel.config().setAutoRead(true);
                } else {
                    readOnDemand(channel);
                }
            }
            case 1 -> changeOption(channel);
            case 2 -> move(channel);
            case 3, 4, 5 -> write(channel, seen, sender, 1 + random.nextInt(oneIn(3) ? 200 : 3));
            case 6 -> later(channel, random.nextInt(2_000), () -> write(channel, seen, sender, 2));
            case 7, 8 -> keep(message);
            case 9 -> pause();
            case 10 -> channel.read();
            case 11 -> handOver(channel, seen);
            default -> close(channel, seen);
        }
    }

    private void changeOption(Channel channel) {
        if (!scenario.changesOptions) {
            return;
        }
        switch (random.nextInt(4)) {
            case 0 -> channel.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, oneIn(2));
            case 1 -> channel.config().setOption(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE,
                    random.nextInt(254));
            case 2 -> channel.config().setOption(UnixSocketOption.SO_PASSCRED, oneIn(2));
            default -> {
                if (scenario.type == SocketType.STREAM) {
                    channel.config().setOption(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, oneIn(2));
                } else {
                    channel.config().setOption(UnixSocketOption.MAX_MESSAGE_SIZE, 1 + random.nextInt(100_000));
                }
            }
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
        if (!scenario.handsOver || moves || handedOver || scenario.type == SocketType.DATAGRAM) {
            return;
        }
        handedOver = true;
        owner.begin();
        var handOver = UnixTransport.handOver(channel);
        // A peer that does not read what was written before delays it, for ever if its own socket waits to be received.
        owner.later(500_000, () -> {
            if (!handOver.isDone()) {
                synchronized (seen) {
                    seen.closedHere = true;
                }
                channel.close();
            }
        });
        handOver.addListener(done -> {
            if (done.isSuccess()) {
                owner.adopt((UnixFileDescriptor) done.getNow(), seen);
            } else if (!(done.cause() instanceof ClosedChannelException)) {
                owner.problem("hand over: " + done.cause());
            }
            owner.end();
        });
    }

    private synchronized void write(Channel channel, Observed seen, UnixSocketAddress recipient, int count) {
        if (recipient != null && recipient.isUnnamed()) {
            return;
        }
        for (int i = 0; i < count; i++) {
            int length = 1 + owner.random(owner.random(5) > 0 ? 300 : (int) (scenario.surelyFits() * 1.5));
            int offset = owner.random(Scenario.BLOCK - length);
            List<UnixFileDescriptor> fds = new ArrayList<>();
            List<String> links = new ArrayList<>();
            try {
                for (int n = owner.random(3) == 0 ? owner.random(4) : 0; n > 0; n--) {
                    fds.add(UnixFileDescriptor.memfd("java-" + writes++, 1));
                    links.add(Observed.link(fds.get(fds.size() - 1)));
                }
            } catch (IOException e) {
                // This process is at its limit.
            }
            ByteBuf content = channel.alloc().buffer(length).writeBytes(owner.block, offset, length);
            Object message = recipient != null ? new UnixDatagramPacket(content, recipient, fds)
                    : fds.isEmpty() ? content : new UnixMessage(content, fds);
            writing.put(message, future -> {
                synchronized (seen) {
                    seen.written.add(new Observed.Written(offset, length, links, future));
                }
            });
            channel.write(message);
        }
        channel.flush();
    }

    /** Here the order of the writes is known, whatever threads they come from. */
    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        writing.remove(message).accept(promise);
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
        boolean half = oneIn(2);
        Runnable close = () -> {
            synchronized (seen) {
                if (half) {
                    seen.shutDownHere = true;
                } else {
                    seen.closedHere = true;
                }
            }
            if (half) {
                ((DuplexChannel) channel).shutdownOutput();
            } else {
                channel.close();
            }
        };
        if (oneIn(2)) {
            close.run();
        } else {
            later(channel, random.nextInt(1_000), close);
        }
    }

    /** Closes a channel when it has written everything, or after two seconds: the peer may read nothing. */
    private void closeWhenWritten(Channel channel, Observed seen, int attempts) {
        later(channel, 20_000, () -> {
            boolean written;
            synchronized (seen) {
                written = seen.written.stream().allMatch(message -> message.future().isDone());
                seen.gaveUpWriting |= !written && attempts == MOST_ATTEMPTS;
            }
            if (written || attempts == MOST_ATTEMPTS || !channel.isOpen()) {
                channel.close();
            } else {
                closeWhenWritten(channel, seen, attempts + 1);
            }
        });
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            closeWhenWritten(ctx.channel(), observed.apply(null), 0);
        } else if (event instanceof ChannelOutputShutdownEvent) {
            Observed seen = observed.apply(null);
            synchronized (seen) {
                seen.outputFailedNanos = System.nanoTime();
            }
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
