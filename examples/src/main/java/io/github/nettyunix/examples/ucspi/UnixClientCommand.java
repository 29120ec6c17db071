package io.github.nettyunix.examples.ucspi;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.examples.Running;
import io.github.nettyunix.process.ChildProcess;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.Callable;

/** {@code unixclient}: starts a program with a connection, like the program of that name in ucspi-unix. */
@Command(name = "unixclient",
        description = {"Connects to a stream socket and starts a program, which reads from descriptor 6 and writes to "
                + "descriptor 7. Its exit status is the result.",
                "The program's environment has PROTO=UNIX, UNIXLOCALPATH, UNIXLOCALPID, UNIXLOCALUID, UNIXLOCALGID, "
                + "UNIXREMOTEPID, UNIXREMOTEEUID and UNIXREMOTEEGID."})
public final class UnixClientCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "SOCKET", description = "a path, or @NAME")
    private UnixSocketAddress address;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "PROGRAM", description = "the program and its arguments")
    private List<String> program;

    @Mixin
    private Verbosity verbosity;

    /** Options after the program's name belong to the program. */
    @Spec
    void setSpec(CommandSpec spec) {
        spec.parser().stopAtPositional(true);
    }

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            UnixStreamChannel channel = (UnixStreamChannel) Running.await(new Bootstrap().group(running.group())
                    .channel(UnixStreamChannel.class)
                    // Incoming data is for the program.
                    .option(ChannelOption.AUTO_READ, false)
                    .handler(new ChannelInboundHandlerAdapter())
                    .connect(address), "connecting to " + address).channel();
            UnixCredentials server = channel.peerCredentials();
            UnixFileDescriptor connection = UnixTransport.handOver(channel).sync().getNow();
            ChildProcess child = Ucspi.start(program, ProgramUser.SAME, connection, server, address, 6, 7);
            verbosity.status("unixclient: pid " + child.pid());
            // The program ends together with this one.
            Runtime.getRuntime().addShutdownHook(new Thread(() -> terminate(child)));
            int status = child.onExit().get();
            verbosity.status("unixclient: end " + child.pid() + " status " + status);
            return status;
        }
    }

    private static void terminate(ChildProcess child) {
        try {
            child.destroy();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
