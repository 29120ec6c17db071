package io.github.nettyunix.examples.notify;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.examples.Running;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import java.util.concurrent.Callable;

/** {@code notify listen}: the manager's side. */
@Command(name = "listen",
        description = {"Prints messages of services, with the sender's process and user as reported by the kernel. "
                + "Stores descriptors (FDSTORE=1, FDNAME=, FDSTOREREMOVE=1) and completes barriers (BARRIER=1).",
                "Services need its path, or @NAME, in the environment variable NOTIFY_SOCKET."})
final class ListenCommand implements Callable<Integer> {
    @Parameters(paramLabel = "SOCKET", description = "a path, or @NAME")
    private UnixSocketAddress address;

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            Channel channel = new Bootstrap().group(running.group()).channel(UnixDatagramChannel.class)
                    .option(UnixSocketOption.SO_PASSCRED, true)
                    .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                    // Services may run as other users.
                    .option(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.replaceStale().withMode("rw-rw-rw-"))
                    .handler(new NotifyHandler())
                    .bind(address).sync().channel();
            System.err.println("listening on " + channel.localAddress());
            channel.closeFuture().sync();
            return 0;
        }
    }
}
