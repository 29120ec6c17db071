package io.github.nettyunix.examples.http;

import picocli.CommandLine.Command;

/** {@code http}: a web server on a Unix socket, and a TCP proxy for it. */
@Command(name = "http", subcommands = {ServeCommand.class, TcpProxyCommand.class},
        description = "A web server on a Unix socket, and a proxy from TCP to one.")
public final class HttpCommand {
}
