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
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.util.List;
import java.util.concurrent.Callable;

/** {@code unixserver}: one program a connection, as with the program of that name in ucspi-unix. */
@Command(name = "unixserver",
        description = {"Starts a program for every connection to a stream socket, as its standard input and output.",
                "The program's environment has PROTO=UNIX, UNIXLOCALPATH, UNIXLOCALPID, UNIXLOCALUID, UNIXLOCALGID, UNIXREMOTEPID, "
                + "UNIXREMOTEEUID and UNIXREMOTEEGID."})
public final class UnixServerCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "SOCKET", description = "a path, or @NAME")
    private UnixSocketAddress address;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "PROGRAM", description = "the program and its arguments")
    private List<String> program;

    @Option(names = "-c", paramLabel = "N", defaultValue = "10",
            description = "how many connections at the same time; default: ${DEFAULT-VALUE}")
    private int limit;

    @Option(names = "-b", paramLabel = "N", defaultValue = "128",
            description = "how many connections wait for that in the backlog; default: ${DEFAULT-VALUE}")
    private int backlog;

    @Option(names = "-p", paramLabel = "MODE", defaultValue = "rw-rw-rw-",
            description = "the mode of the socket file; default: ${DEFAULT-VALUE}")
    private String mode;

    @Option(names = "-v", description = "say what begins and ends")
    private boolean verbose;

    /** The program's options are not ours. */
    @Spec
    void setSpec(CommandSpec spec) {
        spec.parser().stopAtPositional(true);
    }

    @Override
    public Integer call() throws Exception {
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
}
