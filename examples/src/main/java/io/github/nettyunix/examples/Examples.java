package io.github.nettyunix.examples;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.examples.activated.ActivatedCommand;
import io.github.nettyunix.examples.broker.BrokerCommand;
import io.github.nettyunix.examples.cat.CatCommand;
import io.github.nettyunix.examples.clamd.ClamdCommand;
import io.github.nettyunix.examples.dbus.DBusCommand;
import io.github.nettyunix.examples.echo.EchoCommand;
import io.github.nettyunix.examples.feed.FeedCommand;
import io.github.nettyunix.examples.http.HttpCommand;
import io.github.nettyunix.examples.notify.NotifyCommand;
import io.github.nettyunix.examples.proxy.ProxyCommand;
import io.github.nettyunix.examples.restart.HotRestartCommand;
import io.github.nettyunix.examples.syslog.SyslogCommand;
import io.github.nettyunix.examples.ucspi.UnixCatCommand;
import io.github.nettyunix.examples.ucspi.UnixClientCommand;
import io.github.nettyunix.examples.ucspi.UnixServerCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.TypeConversionException;

import java.nio.file.FileSystemException;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The command line interface of all examples. */
@Command(name = Examples.NAME, synopsisSubcommandLabel = "EXAMPLE",
        description = "Examples of the Unix transport for Netty.",
        commandListHeading = "%nExamples:%n",
        footer = {"", "A socket is given by its path, or as @NAME for an abstract name (Linux).",
                "'examples/run EXAMPLE --help' tells more. Exit status: 0 success, 1 a failed result, 2 bad usage."})
public final class Examples {
    static final String NAME = "examples/run";
    /** The system property with the process id of the shell that started {@code examples/run}. */
    private static final String PARENT = "examples.parent";
    /** The exit status after SIGHUP. */
    private static final int HANGUP = 129;

    private static final List<Class<?>> ALL = List.of(
            ActivatedCommand.class,
            BrokerCommand.class,
            CatCommand.class,
            ClamdCommand.class,
            DBusCommand.class,
            EchoCommand.class,
            FeedCommand.class,
            HotRestartCommand.class,
            HttpCommand.class,
            NotifyCommand.class,
            ProxyCommand.class,
            SyslogCommand.class,
            UnixCatCommand.class,
            UnixClientCommand.class,
            UnixServerCommand.class);

    @Option(names = {"-h", "--help"}, usageHelp = true, scope = ScopeType.INHERIT, description = "this text")
    @SuppressWarnings("unused")
    private boolean help;

    private Examples() {
    }

    /**
     * Runs an example.
     *
     * @param args the name of the example, followed by its arguments
     */
    public static void main(String[] args) {
        Long parent = Long.getLong(PARENT);
        if (parent != null) {
            endWith(parent);
        }
        System.exit(commandLine(args).execute(args));
    }

    /**
     * Ends this process when its parent ends, as SIGHUP does: a shell sends that to its jobs only if its terminal is
     * closed.
     */
    private static void endWith(long pid) {
        ProcessHandle.current().parent().filter(parent -> parent.pid() == pid).map(ProcessHandle::onExit)
                .orElse(CompletableFuture.completedFuture(null))
                .thenRun(() -> System.exit(HANGUP));
    }

    private static CommandLine commandLine(String[] args) {
        CommandLine commandLine = new CommandLine(new Examples());
        // An example starts faster if picocli does not look at all the others.
        List<Class<?>> named = ALL.stream().filter(example -> args.length > 0 && name(example).equals(args[0]))
                .toList();
        for (Class<?> example : named.isEmpty() ? ALL : named) {
            commandLine.addSubcommand(example);
        }
        return commandLine.registerConverter(UnixSocketAddress.class, new AddressConverter())
                .setCaseInsensitiveEnumValuesAllowed(true)
                // @NAME is an abstract name, not a file of arguments.
                .setExpandAtFiles(false)
                .setUsageHelpAutoWidth(true)
                .setExecutionExceptionHandler((exception, command, parsed) -> {
                    // The transport's exceptions name the operation, the socket and the error in their messages. Those
                    // of the JDK's file system name the error only by their class.
                    String message = exception.getMessage() == null || exception instanceof FileSystemException
                            ? exception.toString() : exception.getMessage();
                    // For a command of an example, include the example's name: "notify send".
                    String name = command.getCommandSpec().qualifiedName().substring(Examples.NAME.length() + 1);
                    command.getErr().println(name + ": " + message);
                    return ExitCode.SOFTWARE;
                });
    }

    private static String name(Class<?> example) {
        return example.getAnnotation(Command.class).name();
    }

    /** Converts {@code @name} to an abstract name, and everything else to a path. */
    private static final class AddressConverter implements ITypeConverter<UnixSocketAddress> {
        @Override
        public UnixSocketAddress convert(String value) {
            try {
                return value.startsWith("@") ? UnixSocketAddress.ofAbstract(value.substring(1))
                        : UnixSocketAddress.of(value);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
