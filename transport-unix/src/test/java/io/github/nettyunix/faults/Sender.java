package io.github.nettyunix.faults;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.testing.Content;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Writes numbered messages: some alone, some together, some long, and some with descriptors. */
final class Sender {
    private static final int[] LENGTHS = {10, 100, 0, 1000, 10, 3000, 10, 20, 9000, 10, 50_000, 30, 10, 5};
    /** The first is flushed alone, those up to each of these together, and all others alone. */
    private static final int TOGETHER = 5;
    private static final int AGAIN_TOGETHER = 9;
    /** Two such messages one after the other are sent together on a stream, too. */
    private static final Set<Integer> WITH_DESCRIPTORS = Set.of(0, 3, 4, 6, 7, 9, 12);

    private final Channel channel;
    private final List<ChannelFuture> writes = new ArrayList<>();
    private final List<UnixFileDescriptor> files = new ArrayList<>();

    Sender(Channel channel) {
        this.channel = channel;
    }

    /** Opens the files first, on the calling thread. */
    void prepare(boolean descriptors) throws Exception {
        for (int i = 0; descriptors && i < LENGTHS.length; i++) {
            for (String label : labels(i)) {
                files.add(Content.labelled(label));
            }
        }
    }

    static String label(int number, int index) {
        return "file " + number + '.' + index;
    }

    /** The labels of the descriptors that a message has. */
    static List<String> labels(int number) {
        return WITH_DESCRIPTORS.contains(number) ? List.of(label(number, 0), label(number, 1)) : List.of();
    }

    /** Writes all messages, on the event loop of the channel. */
    void send() {
        channel.eventLoop().execute(() -> {
            for (int i = 0; i < LENGTHS.length; i++) {
                ByteBuf content = Inbox.newMessage(channel.alloc(), i, LENGTHS[i]);
                boolean descriptors = WITH_DESCRIPTORS.contains(i) && !files.isEmpty();
                add(channel.write(!descriptors ? content
                        : new UnixMessage(content, files.remove(0), files.remove(0))));
                if (i == 0 || i == TOGETHER || i >= AGAIN_TOGETHER) {
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
