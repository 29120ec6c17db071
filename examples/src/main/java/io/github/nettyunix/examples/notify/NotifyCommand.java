package io.github.nettyunix.examples.notify;

import picocli.CommandLine.Command;

/** {@code notify}: both ends of systemd's notification protocol. */
@Command(name = "notify", subcommands = {ListenCommand.class, SendCommand.class},
        description = {"Both ends of the protocol by which services tell systemd how they are: a manager that listens, and a service.",
                "See sd_notify(3)."})
public final class NotifyCommand {
}
