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
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;

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

    @Option(names = "-p", paramLabel = "MODE", converter = OctalConverter.class,
            description = "the mode of the socket file; default: 0666 minus MASK")
    private Integer mode;

    @Option(names = "-m", paramLabel = "MASK", defaultValue = "0", converter = OctalConverter.class,
            description = "what the default mode of the socket file lacks; default: ${DEFAULT-VALUE}")
    private int mask;

    @Option(names = "-o", paramLabel = "UID", description = "the owner of the socket file")
    private Integer owner;

    @Option(names = "-r", paramLabel = "GID", description = "the group of the socket file")
    private Integer group;

    @Option(names = "-O", description = "the same as -o $SOCKET_UID -r $SOCKET_GID")
    private boolean ownerFromEnvironment;

    @Option(names = "-u", paramLabel = "UID", description = "the user that the programs run as")
    private Integer uid;

    @Option(names = "-g", paramLabel = "GID", description = "the only group that the programs run with")
    private Integer gid;

    @Option(names = "-U", description = "the same as -u $UID -g $GID")
    private boolean userFromEnvironment;

    @Option(names = "-B", paramLabel = "BANNER", defaultValue = "", description = "what each client receives first")
    private String banner;

    @Mixin
    private Verbosity verbosity;

    private boolean keepFile;
    private CommandSpec spec;

    @Option(names = "-d", description = "do not remove the socket file at the end")
    void setKeepFile(boolean given) {
        keepFile = true;
    }

    @Option(names = "-D", description = "remove the socket file at the end, the default")
    void setRemoveFile(boolean given) {
        keepFile = false;
    }

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
        if (ownerFromEnvironment) {
            owner = fromEnvironment("SOCKET_UID");
            group = fromEnvironment("SOCKET_GID");
        }
        if (userFromEnvironment) {
            uid = fromEnvironment("UID");
            gid = fromEnvironment("GID");
        }
        if (!address.isPathname() && (owner != null || group != null)) {
            throw new ParameterException(spec.commandLine(), "-o and -r: an abstract name has no file");
        }
        ProgramUser user = new ProgramUser(uid, gid);
        try (Running running = new Running()) {
            user.check();
            Channel server = new Bootstrap().group(running.group()).channel(UnixServerStreamChannel.class)
                    .option(ChannelOption.SO_BACKLOG, backlog)
                    .option(UnixSocketOption.SOCKET_FILE, files())
                    .handler(new ProgramStarter(program, user, address, limit, banner, verbosity))
                    .bind(address).sync().channel();
            if (owner != null) {
                Files.setAttribute(Path.of(address.path()), "unix:uid", owner, LinkOption.NOFOLLOW_LINKS);
            }
            verbosity.error("listening on " + server.localAddress());
            server.closeFuture().sync();
            return 0;
        }
    }

    private int fromEnvironment(String name) {
        String value = System.getenv(name);
        if (value == null || !value.matches("\\d{1,9}")) {
            throw new ParameterException(spec.commandLine(), "$" + name + " is not a number: " + value);
        }
        return Integer.parseInt(value);
    }

    private SocketFilePolicy files() {
        SocketFilePolicy files = SocketFilePolicy.replaceStale()
                .withMode(String.format("%04o", mode == null ? 0666 & ~mask : mode));
        if (group != null) {
            files = files.withGroup(group);
        }
        return keepFile ? files.keepOnClose() : files;
    }

    /** Converts an octal mode. */
    private static final class OctalConverter implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String octal) {
            if (!octal.matches("0?[0-7]{1,3}")) {
                throw new TypeConversionException("'" + octal + "' is no mode, such as 0600");
            }
            return Integer.parseInt(octal, 8);
        }
    }
}
