package io.github.nettyunix.examples.broker;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.examples.Running;
import io.netty.channel.Channel;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;

/** {@code broker serve}: the process that may open the files. */
@Command(name = "serve", description = "Opens files for authorized users, and logs every request.")
final class ServeCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "SOCKET", description = "a path, or @NAME")
    private UnixSocketAddress address;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "FILE_OR_FOLDER",
            description = "a file to grant, or a folder, for all files in and below it")
    private List<Path> granted;

    @Option(names = "--allow", paramLabel = "USER", split = ",", converter = UserConverter.class,
            description = "a user that may request files, by name or number; can be repeated; default: this user")
    private Set<Integer> users;

    @Option(names = "--type", paramLabel = "TYPE", defaultValue = "seqpacket",
            description = "${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}")
    private SocketType type;

    @Override
    public Integer call() throws Exception {
        Set<Integer> allowed = users != null ? users : Set.of(UnixCredentials.ofThisProcess().uid());
        GrantedFiles files = new GrantedPaths(granted);
        try (Running running = new Running()) {
            Channel server = BrokerServer.bind(running.group(), type, address, who -> allowed.contains(who.uid()),
                    files)
                    .sync().channel();
            System.err.println("listening on " + server.localAddress());
            server.closeFuture().sync();
            return 0;
        }
    }

    /** Converts the name or number of a user. */
    private static final class UserConverter implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String user) throws IOException {
            if (user.matches("\\d+")) {
                return Integer.parseUnsignedInt(user);
            }
            Process id = new ProcessBuilder("id", "-u", "--", user).redirectError(Redirect.DISCARD).start();
            String number = new String(id.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).trim();
            if (number.isEmpty()) {
                throw new TypeConversionException("there is no user " + user);
            }
            return Integer.parseUnsignedInt(number);
        }
    }
}
