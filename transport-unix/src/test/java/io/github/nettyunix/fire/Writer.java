package io.github.nettyunix.fire;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultAddressedEnvelope;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Writes messages of all kinds to one channel, on any thread. */
final class Writer {
    /** Only root may pretend to be somebody else. */
    private static final UnixCredentials OURSELVES = UnixCredentials.ofThisProcess();
    /** For a peer that does not read; each may have descriptors, and several cases share the limit of this process. */
    private static final int MOST_WAITING = 300;

    private final Case owner;
    private final Scenario scenario;
    private final AtomicInteger waiting = new AtomicInteger();
    private int files;
    /** What is in the pipeline, on its way to {@link #passes}. */
    private final Map<Object, Consumer<ChannelFuture>> writing = Collections.synchronizedMap(new IdentityHashMap<>());

    Writer(Case owner) {
        this.owner = owner;
        scenario = owner.scenario;
    }

    private boolean oneIn(int count) {
        return owner.random(count) == 0;
    }

    private int length() {
        if (oneIn(12) && scenario.type != SocketType.STREAM) {
            return 0;
        }
        int fits = scenario.surelyFits();
        // Of a stream, several times what the socket has room for, so that it takes a part.
        return 1 + owner.random(!oneIn(4) ? 300 : scenario.type == SocketType.STREAM && oneIn(2) ? fits * 4
                : fits * 3 / 2);
    }

    /** @param recipient null of a connection, and of a datagram channel that is connected */
    synchronized void write(Channel channel, Observed seen, UnixSocketAddress recipient, int count) {
        if (recipient != null && recipient.isUnnamed()) {
            return;
        }
        for (int i = 0; i < count && waiting.get() < MOST_WAITING; i++) {
            int length = length();
            int offset = owner.random(Scenario.ZERO_OFFSET - length);
            if (recipient == null && oneIn(20)) {
                writeBare(channel, seen);
            } else if (scenario.type == SocketType.STREAM && oneIn(12)) {
                // The channel releases it, which closes the file.
                write(channel, new DefaultFileRegion(owner.blockFile, offset, length), seen, offset, length, List.of(),
                        false);
            } else {
                writeMessage(channel, seen, recipient, offset, length);
            }
            if (oneIn(10)) {
                channel.flush();
            }
        }
        channel.flush();
    }

    private void writeMessage(Channel channel, Observed seen, UnixSocketAddress recipient, int offset, int length) {
        List<UnixFileDescriptor> fds = new ArrayList<>();
        for (int n = oneIn(3) ? owner.random(oneIn(10) ? 60 : 4) : 0; n > 0; n--) {
            UnixFileDescriptor fd = newFile();
            if (fd != null) {
                fds.add(fd);
            }
        }
        List<String> links = fds.stream().map(Observed::link).toList();
        boolean refused = !fds.isEmpty() && oneIn(30);
        // On a stream a descriptor needs a byte.
        boolean empty = refused && scenario.type == SocketType.STREAM && oneIn(3);
        if (refused && !empty) {
            spoil(fds);
        }
        ByteBuf content = content(channel, offset, empty ? 0 : length);
        Object message;
        if (recipient == null) {
            UnixMessage whole = fds.isEmpty() && !oneIn(10) ? null : new UnixMessage(content, fds);
            message = whole == null ? content : length > 0 && oneIn(4) ? whole.withCredentials(OURSELVES) : whole;
        } else {
            message = !fds.isEmpty() || oneIn(3) ? new UnixDatagramPacket(content, recipient, fds)
                    : oneIn(2) ? new DomainDatagramPacket(content, recipient)
                    : new DefaultAddressedEnvelope<>(content, recipient);
        }
        write(channel, message, seen, offset, length, links, refused);
    }

    /** Makes a message impossible to send: too many descriptors, or a closed one. */
    private void spoil(List<UnixFileDescriptor> fds) {
        if (oneIn(2)) {
            UnixFileDescriptor last = fds.get(fds.size() - 1);
            while (fds.size() <= Scenario.MAX_DESCRIPTORS) {
                fds.add(last.retain());
            }
        } else {
            try {
                fds.get(0).close();
            } catch (IOException e) {
                owner.problem("close: " + e);
            }
        }
    }

    private UnixFileDescriptor newFile() {
        try {
            return UnixFileDescriptor.memfd("java-" + files++, 1);
        } catch (IOException e) {
            // This process is at its limit.
            return null;
        }
    }

    /** A descriptor without a message: with one zero byte on a stream, with none elsewhere. */
    private void writeBare(Channel channel, Observed seen) {
        UnixFileDescriptor fd = newFile();
        if (fd == null) {
            return;
        }
        int length = scenario.type == SocketType.STREAM ? 1 : 0;
        List<String> links = List.of(Observed.link(fd));
        if (oneIn(2)) {
            write(channel, fd, seen, Scenario.ZERO_OFFSET, length, links, false);
            return;
        }
        // Netty's own stays ours until it is sent.
        FileDescriptor plain = new FileDescriptor(fd.detach());
        write(channel, plain, seen, Scenario.ZERO_OFFSET, length, links, false).addListener(done -> {
            try {
                plain.close();
            } catch (IOException e) {
                owner.problem("close: " + e);
            }
        });
    }

    private ByteBuf content(Channel channel, int offset, int length) {
        if (length > 1 && oneIn(8)) {
            int half = length / 2;
            return Unpooled.wrappedBuffer(Unpooled.wrappedBuffer(owner.block, offset, half),
                    channel.alloc().directBuffer(length - half).writeBytes(owner.block, offset + half, length - half));
        }
        // Of no bytes that would be the same object each time.
        return length > 0 && oneIn(8) ? Unpooled.wrappedBuffer(owner.block, offset, length)
                : channel.alloc().buffer(Math.max(length, 1)).writeBytes(owner.block, offset, length);
    }

    private ChannelPromise write(Channel channel, Object message, Observed seen, int offset, int length,
            List<String> links, boolean refused) {
        writing.put(message, future -> {
            synchronized (seen) {
                seen.written.add(new Observed.Written(offset, length, links, refused, future));
            }
        });
        ChannelPromise promise = channel.newPromise();
        waiting.incrementAndGet();
        promise.addListener(done -> waiting.decrementAndGet());
        channel.write(message, promise);
        if (oneIn(40)) {
            promise.cancel(false);
        }
        return promise;
    }

    /** Called by the handler next to the channel: here the order is known, whatever threads wrote. */
    void passes(Object message, ChannelPromise promise) {
        writing.remove(message).accept(promise);
    }
}
