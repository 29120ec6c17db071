package io.github.nettyunix.examples.ucspi;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.examples.Running;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** {@code unixserver}: starts a program for each connection, like the program of that name in ucspi-unix. */
@Command(name = "unixserver",
        description = {"Starts a program for every connection to a stream socket, as its standard input and output.",
                "The program's environment has PROTO=UNIX, UNIXLOCALPATH, UNIXLOCALPID, UNIXLOCALUID, UNIXLOCALGID, "
                + "UNIXREMOTEPID, UNIXREMOTEEUID and UNIXREMOTEEGID."})
public final class UnixServerCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "SOCKET", description = "a path, or @NAME")
    private UnixSocketAddress address;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "PROGRAM", description = "the program and its arguments")
    private List<String> program;

    @Option(names = "-c", paramLabel = "N", defaultValue = "10",
            description = "the maximum number of connections at a time; default: ${DEFAULT-VALUE}")
    private int limit;

    @Option(names = "-b", paramLabel = "N", defaultValue = "128",
            description = "the maximum number of connections that wait in the backlog; default: ${DEFAULT-VALUE}")
    private int backlog;

    @Option(names = "-p", paramLabel = "MODE", defaultValue = "0666", converter = ModeConverter.class,
            description = "the mode of the socket file; default: ${DEFAULT-VALUE}")
    private String mode;

    @Option(names = "-v", description = "print when programs start and end")
    private boolean verbose;

    private CommandSpec spec;

    /** Options after the program's name belong to the program. */
    @Spec
    void setSpec(CommandSpec spec) {
        this.spec = spec;
        spec.parser().stopAtPositional(true);
    }

    @Override
    public Integer call() throws Exception {
        if (limit < 1 || backlog < 1) {
            throw new ParameterException(spec.commandLine(), "-c and -b are at least 1");
        }
        try (Running running = new Running()) {
            Channel server = new Bootstrap().group(running.group()).channel(UnixServerStreamChannel.class)
                    .option(ChannelOption.SO_BACKLOG, backlog)
                    .option(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.replaceStale().withMode(mode))
                    .handler(new ProgramStarter(program, address, limit, verbose))
                    .bind(address).sync().channel();
            System.err.println("listening on " + server.localAddress());
            server.closeFuture().sync();
            return 0;
        }
    }

    /** Converts an octal mode to the form {@code rw-rw-rw-}. */
    private static final class ModeConverter implements ITypeConverter<String> {
        @Override
        public String convert(String octal) {
            if (!octal.matches("0?[0-7]{3}")) {
                throw new TypeConversionException("'" + octal + "' is no mode, such as 0600");
            }
            int mode = Integer.parseInt(octal, 8);
            return IntStream.range(0, 9).mapToObj(i -> (mode >> 8 - i & 1) == 0 ? "-"
                    : "rwx".substring(i % 3, i % 3 + 1))
                    .collect(Collectors.joining());
        }
    }
}
