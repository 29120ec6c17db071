package io.github.nettyunix.faults;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.testing.Content;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;

import java.util.ArrayList;
import java.util.List;

/** Writes numbered messages: some alone, some together, some long, and some with descriptors. */
final class Sender {
    private static final int[] LENGTHS = {10, 100, 0, 1000, 10, 3000, 10, 20, 9000, 10, 50_000, 30, 10, 5};
    /** The first is flushed alone, those up to this one together, and all others alone. */
    private static final int TOGETHER = 9;
    private static final int WITH_DESCRIPTORS = 3;

    private final Channel channel;
    private final List<ChannelFuture> writes = new ArrayList<>();
    private final List<UnixFileDescriptor> files = new ArrayList<>();

    Sender(Channel channel) {
        this.channel = channel;
    }

    /** Opens the files first, on the calling thread. */
    void prepare(boolean descriptors) throws Exception {
        for (int i = 0; descriptors && i < LENGTHS.length; i += WITH_DESCRIPTORS) {
            files.add(Content.labelled(label(i, 0)));
            files.add(Content.labelled(label(i, 1)));
        }
    }

    static String label(int number, int index) {
        return "file " + number + '.' + index;
    }

    /** The labels of the descriptors that a message has. */
    static List<String> labels(int number) {
        return number % WITH_DESCRIPTORS == 0 && number < LENGTHS.length ? List.of(label(number, 0), label(number, 1))
                : List.of();
    }

    /** Writes all messages, on the event loop of the channel. */
    void send() {
        channel.eventLoop().execute(() -> {
            for (int i = 0; i < LENGTHS.length; i++) {
                ByteBuf content = Inbox.newMessage(channel.alloc(), i, LENGTHS[i]);
                boolean descriptors = i % WITH_DESCRIPTORS == 0 && !files.isEmpty();
                add(channel.write(!descriptors ? content
                        : new UnixMessage(content, files.remove(0), files.remove(0))));
                if (i == 0 || i >= TOGETHER) {
                    channel.flush();
                }
            }
        });
    }

    /** Writes one more. */
    void sendOne(int number) {
        channel.eventLoop().execute(() ->
                add(channel.writeAndFlush(Inbox.newMessage(channel.alloc(), number, 10))));
    }

    private synchronized void add(ChannelFuture write) {
        writes.add(write);
    }

    /** Whether all promises are done. */
    synchronized boolean isDone() {
        return writes.size() >= LENGTHS.length && writes.stream().allMatch(ChannelFuture::isDone);
    }

    /** The numbers of those that have succeeded. */
    synchronized List<Integer> succeeded() {
        List<Integer> result = new ArrayList<>();
        for (int i = 0; i < writes.size(); i++) {
            if (writes.get(i).isSuccess()) {
                result.add(i);
            }
        }
        return result;
    }

    /** What the others have failed with. */
    synchronized List<Throwable> failures() {
        return writes.stream().filter(ChannelFuture::isDone).map(ChannelFuture::cause).filter(cause -> cause != null)
                .toList();
    }

    static int next() {
        return LENGTHS.length;
    }

    @Override
    public synchronized String toString() {
        return succeeded() + (isDone() ? "" : " of " + writes.size()) + (failures().isEmpty() ? "" : failures());
    }
}
