package io.github.nettyunix.examples.syslog;

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

/** {@code syslog}: receives log messages of other programs. */
@Command(name = "syslog",
        description = {"Receives datagrams as programs send them to /dev/log, and prints the facility, severity, "
                + "priority, tag and text, and the sender as reported by the kernel.",
                "To try it: logger -u SOCKET hello"})
public final class SyslogCommand implements Callable<Integer> {
    @Parameters(paramLabel = "SOCKET", description = "a path, or @NAME")
    private UnixSocketAddress address;

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            Channel channel = new Bootstrap().group(running.group()).channel(UnixDatagramChannel.class)
                    .option(UnixSocketOption.SO_PASSCRED, true)
                    // Everybody may send log messages.
                    .option(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.replaceStale().withMode("rw-rw-rw-"))
                    .handler(new SyslogHandler())
                    .bind(address).sync().channel();
            System.err.println("listening on " + channel.localAddress());
            channel.closeFuture().sync();
            return 0;
        }
    }
}
