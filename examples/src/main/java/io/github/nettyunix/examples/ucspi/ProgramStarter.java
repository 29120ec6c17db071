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

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Starts a program for each connection that a server channel accepts. The connection's own channel is never registered,
 * so that the event loop does not read data meant for the program.
 */
final class ProgramStarter extends ChannelInboundHandlerAdapter {
    private final List<String> program;
    private final ProgramUser user;
    private final UnixSocketAddress socket;
    private final int limit;
    private final ByteBuffer banner;
    private final Verbosity verbosity;
    private int running;

    /**
     * @param limit the maximum number of programs at a time
     * @param banner what each client receives first
     */
    ProgramStarter(List<String> program, ProgramUser user, UnixSocketAddress socket, int limit, String banner,
            Verbosity verbosity) {
        this.program = program;
        this.user = user;
        this.socket = socket;
        this.limit = limit;
        byte[] bytes = banner.getBytes(StandardCharsets.UTF_8);
        this.banner = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
        this.verbosity = verbosity;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object accepted) throws Exception {
        UnixStreamChannel connection = (UnixStreamChannel) accepted;
        try {
            UnixCredentials client = connection.peerCredentials();
            // It was never registered, so this takes effect at once.
            UnixFileDescriptor fd = UnixTransport.handOver(connection).sync().getNow();
            sendBanner(fd);
            ChildProcess child = Ucspi.start(program, user, fd, client, socket, 0, 1);
            count(ctx, 1);
            status("pid " + child.pid());
            child.onExit().whenCompleteAsync((exit, error) -> {
                status("end " + child.pid() + (error == null ? " status " + exit : ": " + error.getMessage()));
                count(ctx, -1);
            }, ctx.executor());
        } finally {
            ((Channel) connection).unsafe().closeForcibly();
        }
    }

    private void sendBanner(UnixFileDescriptor fd) throws IOException {
        try {
            // It fits into an empty socket: an argument has 128 KiB at most.
            fd.write(banner, 0, banner.limit());
        } catch (IOException e) {
            fd.release();
            throw e;
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        status("status: 0/" + limit);
    }

    /** Counts the programs. Once the limit is reached, further connections wait in the backlog. */
    private void count(ChannelHandlerContext ctx, int change) {
        running += change;
        ctx.channel().config().setAutoRead(running < limit);
        status("status: " + running + "/" + limit);
    }

    private void status(String line) {
        verbosity.status("unixserver: " + line);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        verbosity.error("unixserver: " + cause.getMessage());
    }
}
