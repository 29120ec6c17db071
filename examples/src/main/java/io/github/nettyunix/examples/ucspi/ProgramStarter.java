package io.github.nettyunix.examples.ucspi;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.process.ChildProcess;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

import java.util.List;

/**
 * Starts a program for each connection that a server channel accepts. The connection's own channel is never registered,
 * so that the event loop does not read data meant for the program.
 */
final class ProgramStarter extends ChannelInboundHandlerAdapter {
    private final List<String> program;
    private final UnixSocketAddress socket;
    private final int limit;
    private final boolean verbose;
    private int running;

    ProgramStarter(List<String> program, UnixSocketAddress socket, int limit, boolean verbose) {
        this.program = program;
        this.socket = socket;
        this.limit = limit;
        this.verbose = verbose;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object accepted) throws Exception {
        UnixStreamChannel connection = (UnixStreamChannel) accepted;
        try {
            UnixCredentials client = connection.peerCredentials();
            // It was never registered, so this takes effect at once.
            UnixFileDescriptor fd = UnixTransport.handOver(connection).sync().getNow();
            ChildProcess child = Ucspi.start(program, fd, client, socket, 0, 1);
            count(ctx, 1);
            status("pid " + child.pid() + ", for process " + client.pid());
            child.onExit().whenCompleteAsync((exit, error) -> {
                status("end " + child.pid() + (error == null ? " status " + exit : ": " + error.getMessage()));
                count(ctx, -1);
            }, ctx.executor());
        } finally {
            ((Channel) connection).unsafe().closeForcibly();
        }
    }

    /** Counts the programs. Once the limit is reached, further connections wait in the backlog. */
    private void count(ChannelHandlerContext ctx, int change) {
        running += change;
        ctx.channel().config().setAutoRead(running < limit);
        status("status: " + running + "/" + limit);
    }

    private void status(String line) {
        if (verbose) {
            System.err.println("unixserver: " + line);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        System.err.println("unixserver: " + cause.getMessage());
    }
}
