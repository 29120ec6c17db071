package io.github.nettyunix.examples.feed;

import io.github.nettyunix.UnixSocketAddress;
import picocli.CommandLine.Command;

/** {@code feed}: one publisher and many subscribers, which read its records from shared memory. */
@Command(name = "feed", subcommands = {PublishCommand.class, SubscribeCommand.class},
        description = "Distributes lines, such as measurements or prices, to all processes that subscribe.")
public final class FeedCommand {
    private FeedCommand() {
    }

    /** The address at which a publisher offers shared memory, beside that of its socket. */
    static UnixSocketAddress memory(UnixSocketAddress socket) {
        return UnixSocketAddress.of(socket.path() + ".memory");
    }
}
