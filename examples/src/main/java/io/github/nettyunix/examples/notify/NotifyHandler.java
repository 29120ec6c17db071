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

/** Prints messages, and does what the manager has to do about those that bring descriptors. */
final class NotifyHandler extends SimpleChannelInboundHandler<UnixDatagramPacket> {
    /** What a descriptor is called that was stored without a name. */
    private static final String UNNAMED = "stored";

    private final Map<String, List<UnixFileDescriptor>> stored = new HashMap<>();

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, UnixDatagramPacket message) throws IOException {
        List<String> state = message.content().toString(StandardCharsets.UTF_8).lines().toList();
        print(message.credentials(), state, message.fileDescriptors());
        String name = state.stream().filter(line -> line.startsWith("FDNAME=")).findFirst()
                .map(line -> line.substring("FDNAME=".length())).orElse(UNNAMED);
        if (state.contains("FDSTORE=1")) {
            message.fileDescriptors().forEach(fd -> stored.computeIfAbsent(name, n -> new ArrayList<>()).add(fd.retain()));
            printStored();
        } else if (state.contains("FDSTOREREMOVE=1")) {
            stored.getOrDefault(name, List.of()).forEach(UnixFileDescriptor::release);
            stored.remove(name);
            printStored();
        }
        // The message is released now, and closes what was not stored. That answers a barrier: its sender waits until the
        // descriptor is closed, which tells that all messages before it have been seen.
    }

    private static void print(UnixCredentials sender, List<String> state, List<UnixFileDescriptor> fds) throws IOException {
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

    /** A variable is one line, and no command to a terminal. */
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
