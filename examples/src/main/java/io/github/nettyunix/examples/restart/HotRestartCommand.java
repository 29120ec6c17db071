package io.github.nettyunix.examples.restart;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.examples.Running;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.util.concurrent.Callable;

/** {@code hot-restart}: a server, or its successor. */
@Command(name = "hot-restart",
        description = {"A server that its successor replaces without one failed request.",
                "", "It hands its listening socket over, and its open connections as soon as their requests are answered, and ends. "
                + "Each line that it is sent is a request; the answer names the process that gives it.",
                "", "The socket files, SOCKET and SOCKET.control, stay when the last server ends, and the next one takes their "
                + "place.", ""})
public final class HotRestartCommand implements Callable<Integer> {
    @Parameters(paramLabel = "SOCKET", description = "a path, or @NAME")
    private UnixSocketAddress address;

    @Option(names = "--replace", description = "takes over from the server that is running, which must be the same user's")
    private boolean replace;

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            UnixSocketAddress control = UnixSocketAddress.of(address.path() + ".control");
            // There is one event loop, so that all connections are between two events whenever its code runs.
            Server server = new Server(running.group().next());
            if (replace) {
                TakeOver.connect(server, control);
            } else {
                server.bind(address, control);
            }
            System.err.println(server + ": listening on " + address);
            server.replaced().sync();
            return 0;
        }
    }
}
