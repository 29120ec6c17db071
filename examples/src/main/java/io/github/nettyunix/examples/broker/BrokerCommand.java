package io.github.nettyunix.examples.broker;

import picocli.CommandLine.Command;

/** {@code broker}: passes open files to processes that may not open them. */
@Command(name = "broker", synopsisSubcommandLabel = "serve | open",
        description = "Gives other processes read access to individual files, as open descriptors, if their user may "
                + "request them.",
        subcommands = {ServeCommand.class, OpenCommand.class})
public final class BrokerCommand {
    private BrokerCommand() {
    }
}
