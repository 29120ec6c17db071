package io.github.nettyunix.examples.broker;

import picocli.CommandLine.Command;

/** {@code broker}: passes open files to processes that may not open them. */
@Command(name = "broker", synopsisSubcommandLabel = "serve | open",
        description = "Gives others read access to single files, by descriptor, after checking who asks.",
        subcommands = {ServeCommand.class, OpenCommand.class})
public final class BrokerCommand {
    private BrokerCommand() {
    }
}
