package io.github.nettyunix.examples.restart;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.examples.Running;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.util.concurrent.Callable;

/** {@code hot-restart}: a server, or its successor. */
@Command(name = "hot-restart",
        description = {"A server that its successor can replace without a single failed request.",
                "", "It hands over its listening socket, and its open connections as soon as their requests have been "
                + "answered. Then it ends. Each line that it receives is a request; the reply names the "
                + "process that sent it.",
                "", "The socket files, SOCKET and SOCKET.control, remain when the last server ends. The next one "
                + "replaces them.", ""})
public final class HotRestartCommand implements Callable<Integer> {
    @Parameters(paramLabel = "SOCKET", description = "a path, or @NAME")
    private UnixSocketAddress address;

    @Option(names = "--replace", description = "take over from the running server, which must run as the same user")
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
