package io.github.nettyunix.examples.broker;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.examples.Running;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.Callable;

/** {@code broker open}: the process that may not open the files. */
@Command(name = "open", description = "Requests files from a broker and prints their content.")
final class OpenCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "SOCKET", description = "the broker's socket: a path, or @NAME")
    private UnixSocketAddress address;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "FILE",
            description = "the files to request, all in one message")
    private List<Path> paths;

    @Option(names = "--type", paramLabel = "TYPE", defaultValue = "seqpacket",
            description = "the type of the socket: ${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}")
    private SocketType type;

    @Override
    public Integer call() throws Exception {
        // The broker may have another working folder.
        List<String> absolute = paths.stream().map(path -> path.toAbsolutePath().toString()).toList();
        try (Running running = new Running()) {
            // Only datagram sockets need a name to receive replies.
            UnixSocketAddress own = UnixSocketAddress.autobind();
            for (UnixFileDescriptor file : BrokerClient.open(running.group(), type, address, own, absolute)) {
                print(file);
            }
            return 0;
        }
    }

    private static void print(UnixFileDescriptor file) throws IOException {
        try (file; InputStream content = Channels.newInputStream(file.toFileChannel(StandardOpenOption.READ))) {
            content.transferTo(System.out);
            System.out.flush();
        }
    }
}
