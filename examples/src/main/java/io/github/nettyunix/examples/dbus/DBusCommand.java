package io.github.nettyunix.examples.dbus;

import picocli.CommandLine.Command;

/** {@code dbus}: method calls with descriptors, through a message bus. */
@Command(name = "dbus", synopsisSubcommandLabel = "serve | call",
        description = "Both ends of a call through a D-Bus message bus that passes open files in both directions.",
        subcommands = {ServeCommand.class, CallCommand.class})
public final class DBusCommand {
    private DBusCommand() {
    }
}
