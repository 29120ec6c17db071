package io.github.nettyunix.examples.notify;

import picocli.CommandLine.Command;

/** {@code notify}: both ends of systemd's notification protocol. */
@Command(name = "notify", subcommands = {ListenCommand.class, SendCommand.class},
        description = {"Both ends of the protocol with which services report their state to systemd.",
                "See sd_notify(3)."})
public final class NotifyCommand {
}
