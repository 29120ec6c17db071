package io.github.nettyunix.examples.notify;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.examples.Running;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** {@code notify send}: the service's side. */
@Command(name = "send",
        description = "Sends variables to a service manager, and waits until it has processed them: READY=1, "
                + "STATUS=..., STOPPING=1, WATCHDOG=1, FDSTORE=1 and all others that sd_notify(3) lists.")
final class SendCommand implements Callable<Integer> {
    @Parameters(paramLabel = "VARIABLE=VALUE", arity = "1..*", description = "the variables to send")
    private List<String> state;

    @Option(names = "--socket", paramLabel = "SOCKET", required = true, defaultValue = "${env:NOTIFY_SOCKET}",
            description = "a path, or @NAME; default: the environment variable NOTIFY_SOCKET")
    private UnixSocketAddress address;

    @Option(names = "--file", paramLabel = "FILE",
            description = "a file to open and send as a descriptor; can be repeated")
    private List<Path> files = List.of();

    @Option(names = "--pid", paramLabel = "PID", description = "send on behalf of this process (root only)")
    private Integer pid;

    @Option(names = "--no-block", description = "do not wait")
    private boolean noBlock;

    @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "5",
            description = "how long to wait; default: ${DEFAULT-VALUE}")
    private int timeout;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        for (String variable : state) {
            if (variable.indexOf('=') <= 0) {
                throw new ParameterException(spec.commandLine(), "not VARIABLE=VALUE: " + variable);
            }
        }
        try (Running running = new Running()) {
            Channel channel = new Bootstrap().group(running.group()).channel(UnixDatagramChannel.class)
                    .handler(new ChannelInboundHandlerAdapter())
                    .connect(address).sync().channel();
            Running.await(channel.writeAndFlush(message()), "the queue of " + address + " is full; waiting");
            if (!noBlock) {
                awaitBarrier(channel);
            }
            return 0;
        }
    }

    private UnixMessage message() throws IOException {
        List<UnixFileDescriptor> fds = new ArrayList<>();
        try {
            for (Path file : files) {
                fds.add(UnixFileDescriptor.open(file));
            }
        } catch (IOException e) {
            fds.forEach(UnixFileDescriptor::release);
            throw e;
        }
        UnixMessage message = newMessage(String.join("\n", state), fds.toArray(UnixFileDescriptor[]::new));
        UnixCredentials own = UnixCredentials.ofThisProcess();
        return pid == null ? message : message.withCredentials(new UnixCredentials(pid, own.uid(), own.gid()));
    }

    private static UnixMessage newMessage(String text, UnixFileDescriptor... fds) {
        return new UnixMessage(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8), fds);
    }

    /**
     * Waits until the manager has processed all messages. It processes them in order and closes the descriptor of this
     * one, which is visible here.
     */
    private void awaitBarrier(Channel channel) throws Exception {
        List<UnixFileDescriptor> pair = UnixFileDescriptor.socketPair(SocketType.STREAM);
        Channel barrier = UnixTransport.adopt(pair.get(0));
        channel.eventLoop().register(barrier).sync();
        channel.writeAndFlush(newMessage("BARRIER=1", pair.get(1))).sync();
        if (!barrier.closeFuture().await(timeout, TimeUnit.SECONDS)) {
            throw new IOException("nobody has seen it at " + address + " in " + timeout + " s");
        }
    }
}
