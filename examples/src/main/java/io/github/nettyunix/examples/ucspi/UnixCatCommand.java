package io.github.nettyunix.examples.ucspi;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.examples.Running;
import io.github.nettyunix.examples.cat.OutputHandler;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelOption;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.netty.util.concurrent.Promise;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import java.util.concurrent.Callable;

/** {@code unixcat}: prints what a server sends, like the program of that name in ucspi-unix. */
@Command(name = "unixcat", description = "Connects to a stream socket and prints what the server sends.")
public final class UnixCatCommand implements Callable<Integer> {
    @Parameters(paramLabel = "SOCKET", description = "a path, or @NAME")
    private UnixSocketAddress address;

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            Promise<Void> end = ImmediateEventExecutor.INSTANCE.newPromise();
            Running.await(new Bootstrap().group(running.group()).channel(UnixStreamChannel.class)
                    .option(ChannelOption.AUTO_READ, false)
                    .handler(new OutputHandler(end))
                    .connect(address), "connecting to " + address);
            end.sync();
            return 0;
        }
    }
}
