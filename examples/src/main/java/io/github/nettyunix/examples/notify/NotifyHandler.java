package io.github.nettyunix.examples.notify;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/** Prints messages, and stores or closes the descriptors that they bring, as the manager does. */
final class NotifyHandler extends SimpleChannelInboundHandler<UnixDatagramPacket> {
    /** The name of descriptors that are stored without one. */
    private static final String UNNAMED = "stored";

    private final Map<String, List<UnixFileDescriptor>> stored = new HashMap<>();

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, UnixDatagramPacket message) throws IOException {
        List<String> state = message.content().toString(StandardCharsets.UTF_8).lines().toList();
        print(message.credentials(), state, message.fileDescriptors());
        String name = state.stream().filter(line -> line.startsWith("FDNAME=")).findFirst()
                .map(line -> line.substring("FDNAME=".length())).orElse(UNNAMED);
        if (state.contains("FDSTORE=1")) {
            message.fileDescriptors().forEach(fd -> stored.computeIfAbsent(name, n -> new ArrayList<>())
                    .add(fd.retain()));
            printStored();
        } else if (state.contains("FDSTOREREMOVE=1")) {
            stored.getOrDefault(name, List.of()).forEach(UnixFileDescriptor::release);
            stored.remove(name);
            printStored();
        }
        // Releasing the message closes the descriptors that were not stored. This completes a barrier: its sender waits
        // until its descriptor is closed, which shows that all earlier messages have been processed.
    }

    private static void print(UnixCredentials sender, List<String> state, List<UnixFileDescriptor> fds)
            throws IOException {
        StringJoiner line = new StringJoiner(" ");
        line.add("process " + sender.pid() + ", user " + sender.uid() + ":");
        state.forEach(variable -> line.add(printable(variable)));
        for (UnixFileDescriptor fd : fds) {
            line.add("+" + fd.type());
        }
        System.out.println(line);
    }

    private void printStored() {
        StringJoiner line = new StringJoiner(", ", "stored: ", "").setEmptyValue("stored: nothing");
        stored.forEach((name, fds) -> line.add(printable(name) + " (" + fds.size() + ")"));
        System.out.println(line);
    }

    /** Makes a variable safe to print to a terminal, on one line. */
    private static String printable(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        stored.values().forEach(fds -> fds.forEach(UnixFileDescriptor::release));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        System.err.println(cause.getMessage());
    }
}
