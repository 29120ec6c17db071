package io.github.nettyunix.testing;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** A server in another process, possibly of another user: it binds, and prints "bound" or the error. */
public final class Binder {
    private Binder() {
    }

    /** Arguments: the path, then a mode and the number of a group, if they are not empty. */
    public static void main(String[] arguments) throws Exception {
        SocketFilePolicy policy = SocketFilePolicy.replaceStale();
        if (arguments.length > 1 && !arguments[1].isEmpty()) {
            policy = policy.withMode(arguments[1]);
        }
        if (arguments.length > 2) {
            policy = policy.withGroup(Integer.parseInt(arguments[2]));
        }
        Channel server = Channels.register(new UnixServerStreamChannel());
        server.config().setOption(UnixSocketOption.SOCKET_FILE, policy);
        ChannelFuture bound = server.bind(UnixSocketAddress.of(arguments[0])).await();
        System.out.println(bound.isSuccess() ? "bound" : bound.cause().getMessage());
        server.close().sync();
        System.exit(0);
    }

    /** Returns what it prints when run with a prefix command. */
    public static String run(List<String> prefix, Object... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(Jvm.command(Binder.class));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader out = process.inputReader()) {
            String line = out.readLine();
            assertEquals(0, process.waitFor());
            return line;
        } finally {
            process.destroyForcibly();
            process.outputWriter().close();
            process.errorReader().close();
        }
    }
}
