package io.github.nettyunix.faults;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Loops;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DuplexChannel;

import java.util.List;

import static io.github.nettyunix.SocketType.DATAGRAM;
import static io.github.nettyunix.SocketType.SEQPACKET;
import static io.github.nettyunix.SocketType.STREAM;
import static io.github.nettyunix.faults.Reaction.FAILS;
import static io.github.nettyunix.faults.Reaction.GOES_ON;
import static io.github.nettyunix.faults.Reaction.UNSUPPORTED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Sockets from elsewhere, options, and the identity of the peer. */
final class OptionFaults {
    /** An action on one of two connected channels. */
    private interface Use {
        void run(Channel channel, Api.Step step) throws Exception;
    }

    private static final SystemCall GETSOCKOPT = SystemCall.of("getsockopt");
    private static final SystemCall SETSOCKOPT = SystemCall.of("setsockopt");
    private static final int NAME = 2;
    private static final int SO_TYPE = 3;
    private static final int SO_SNDBUF = 7;
    private static final int SO_RCVBUF = 8;
    private static final int SO_PASSCRED = 16;
    private static final int SO_PEERCRED = 17;
    private static final int SO_TIMESTAMP = 29;
    private static final int SO_ACCEPTCONN = 30;
    private static final int SO_PASSSEC = 34;
    private static final int SO_PEERGROUPS = 59;
    private static final int SO_PASSPIDFD = 76;
    private static final int SO_PEERPIDFD = 77;
    private static final int SO_PASSRIGHTS = 83;

    private static final String ON_OPTION = "EBADF EFAULT EINVAL ENOTSOCK ENOMEM EPERM ENOSYS";
    private static final String ON_NAME = "EBADF EFAULT EINVAL ENOBUFS ENOTSOCK EPERM ENOSYS";

    private OptionFaults() {
    }

    private static Workload on(SocketType type, String title, Use use) {
        return new Api(type + ", " + title, step -> {
            List<? extends Channel> pair = Channels.pair(type);
            try {
                use.run(pair.get(0), step);
            } finally {
                for (Channel channel : pair) {
                    if (!channel.isRegistered()) {
                        Loops.group().register(channel).sync();
                    }
                    channel.close().sync();
                }
            }
        });
    }

    private static <T> Workload set(SocketType type, ChannelOption<T> option, T value) {
        return on(type, "set " + name(option), (channel, step) -> {
            assertTrue(step.call(() -> channel.config().setOption(option, value)));
            if (value instanceof Boolean) {
                assertEquals(value, channel.config().getOption(option));
            }
        });
    }

    private static <T> Workload get(SocketType type, ChannelOption<T> option) {
        return on(type, "get " + name(option), (channel, step) -> step.call(() -> channel.config().getOption(option)));
    }

    private static String name(ChannelOption<?> option) {
        return option.name().substring(option.name().lastIndexOf('#') + 1);
    }

    private static Workload peer(String title, PeerCall call) {
        return on(STREAM, title, (channel, step) -> step.call(() -> call.run((UnixPeer) channel)));
    }

    /** Asks for something about the peer. */
    private interface PeerCall {
        Object run(UnixPeer peer) throws Exception;
    }

    private static Workload adopt(SocketType type) {
        return new Api(type + ", adopt", step -> {
            List<UnixFileDescriptor> pair = UnixFileDescriptor.socketPair(type);
            try {
                Channel channel = step.call(() -> UnixTransport.adopt(pair.get(0)));
                Loops.group().register(channel).sync();
                channel.close().sync();
            } finally {
                // What could not be adopted is the caller's.
                for (UnixFileDescriptor fd : pair) {
                    if (fd.isOpen()) {
                        fd.close();
                    }
                }
            }
        });
    }

    private static final Workload SHUTDOWN = on(STREAM, "shutdownOutput", (channel, step) -> {
        FaultyLoop.GROUP.register(channel).sync();
        step.call(() -> {
            ChannelFuture done = ((DuplexChannel) channel).shutdownOutput();
            if (done.cause() instanceof Exception cause) {
                throw cause;
            }
            return null;
        });
    });

    private static final Workload NEW = new Api("new seqpacket channel", step -> {
        UnixSeqpacketChannel channel = step.call(UnixSeqpacketChannel::new);
        Loops.group().register(channel).sync();
        channel.close().sync();
    });

    static List<Row> rows() {
        return List.of(
                Row.of(SystemCall.of("getsockname"), adopt(STREAM)).when(FAILS, ON_NAME),
                Row.of(SystemCall.of("getpeername"), adopt(STREAM)).when(FAILS,
                        "EBADF EFAULT ENOBUFS ENOTSOCK EPERM ENOSYS"),
                Row.of(GETSOCKOPT.with("SO_TYPE", NAME, SO_TYPE), adopt(STREAM)).when(FAILS, ON_OPTION, "ENOPROTOOPT"),
                Row.of(GETSOCKOPT.with("SO_ACCEPTCONN", NAME, SO_ACCEPTCONN), adopt(STREAM))
                        .when(FAILS, ON_OPTION, "ENOPROTOOPT"),
                Row.of(SystemCall.of("fcntl").with("F_GETFL", 1, 3), adopt(STREAM)).when(GOES_ON, "EINTR")
                        .when(FAILS, "EBADF EINVAL EPERM ENOSYS"),
                Row.of(SystemCall.of("fcntl").with("F_SETFL", 1, 4), adopt(STREAM))
                        .when(FAILS, "EBADF EINVAL EPERM ENOSYS"),
                Row.of(SystemCall.of("fcntl").with("F_SETFD", 1, 2), adopt(STREAM)).when(GOES_ON, "EINTR")
                        .when(FAILS, "EBADF EINVAL EPERM ENOSYS"),
                Row.of(GETSOCKOPT.with("SO_PASSCRED", NAME, SO_PASSCRED), adopt(DATAGRAM)).when(GOES_ON, "ENOPROTOOPT")
                        .when(FAILS, ON_OPTION),
                Row.of(GETSOCKOPT.with("SO_PASSPIDFD", NAME, SO_PASSPIDFD), adopt(DATAGRAM))
                        .when(GOES_ON, "ENOPROTOOPT").when(FAILS, ON_OPTION),
                Row.of(GETSOCKOPT.with("SO_PASSRIGHTS", NAME, SO_PASSRIGHTS), adopt(DATAGRAM))
                        .when(GOES_ON, "ENOPROTOOPT").when(FAILS, ON_OPTION),
                Row.of(SystemCall.of("shutdown"), SHUTDOWN).when(FAILS, "EBADF EINVAL ENOTCONN ENOTSOCK EPERM ENOSYS"),
                Row.of(SETSOCKOPT.with("SO_PASSSEC", NAME, SO_PASSSEC), NEW)
                        .when(GOES_ON, ON_OPTION, "ENOPROTOOPT").optional(),
                Row.of(SETSOCKOPT.with("SO_TIMESTAMP", NAME, SO_TIMESTAMP), NEW)
                        .when(FAILS, ON_OPTION, "ENOPROTOOPT").optional(),
                Row.of(SETSOCKOPT.with("SO_TIMESTAMP", NAME, SO_TIMESTAMP),
                        set(SEQPACKET, UnixSocketOption.RECEIVE_CONTROL_DATA, true))
                        .when(FAILS, ON_OPTION, "ENOPROTOOPT").optional(),

                Row.of(SETSOCKOPT.with("SO_PASSCRED", NAME, SO_PASSCRED),
                        set(STREAM, UnixSocketOption.SO_PASSCRED, true))
                        .when(FAILS, ON_OPTION).when(UNSUPPORTED, "ENOPROTOOPT"),
                Row.of(SETSOCKOPT.with("SO_PASSPIDFD", NAME, SO_PASSPIDFD),
                        set(STREAM, UnixSocketOption.SO_PASSPIDFD, true))
                        .when(FAILS, ON_OPTION).when(UNSUPPORTED, "ENOPROTOOPT"),
                Row.of(SETSOCKOPT.with("SO_PASSSEC", NAME, SO_PASSSEC), set(STREAM, UnixSocketOption.SO_PASSSEC, true))
                        .when(FAILS, ON_OPTION).when(UNSUPPORTED, "ENOPROTOOPT"),
                Row.of(SETSOCKOPT.with("SO_PASSRIGHTS", NAME, SO_PASSRIGHTS),
                        set(STREAM, UnixSocketOption.SO_PASSRIGHTS, false))
                        .when(FAILS, ON_OPTION).when(UNSUPPORTED, "ENOPROTOOPT EOPNOTSUPP"),
                Row.of(SETSOCKOPT.with("SO_SNDBUF", NAME, SO_SNDBUF), set(STREAM, ChannelOption.SO_SNDBUF, 10_000))
                        .when(GOES_ON, "EINTR").when(FAILS, ON_OPTION, "ENOPROTOOPT"),
                Row.of(SETSOCKOPT.with("SO_RCVBUF", NAME, SO_RCVBUF), set(DATAGRAM, ChannelOption.SO_RCVBUF, 10_000))
                        .when(GOES_ON, "EINTR").when(FAILS, ON_OPTION, "ENOPROTOOPT"),
                Row.of(GETSOCKOPT.with("SO_SNDBUF", NAME, SO_SNDBUF), get(STREAM, ChannelOption.SO_SNDBUF))
                        .when(FAILS, ON_OPTION, "ENOPROTOOPT"),
                Row.of(GETSOCKOPT.with("SO_RCVBUF", NAME, SO_RCVBUF), get(DATAGRAM, ChannelOption.SO_RCVBUF))
                        .when(FAILS, ON_OPTION, "ENOPROTOOPT"),

                Row.of(GETSOCKOPT.with("SO_PEERCRED", NAME, SO_PEERCRED),
                        peer("peerCredentials", UnixPeer::peerCredentials))
                        .when(FAILS, ON_OPTION).when(UNSUPPORTED, "ENOPROTOOPT"),
                Row.of(GETSOCKOPT.with("SO_PEERGROUPS", NAME, SO_PEERGROUPS),
                        peer("peerCredentials", UnixPeer::peerCredentials))
                        .when(FAILS, ON_OPTION, "ENODATA").when(GOES_ON, "ENOPROTOOPT"),
                Row.of(GETSOCKOPT.with("SO_PEERPIDFD", NAME, SO_PEERPIDFD), peer("peerPidFd", peer -> {
                    peer.peerPidFd().close();
                    return null;
                })).when(FAILS, ON_OPTION, "EMFILE ENFILE ESRCH ENODATA").when(UNSUPPORTED, "ENOPROTOOPT")
                        .named("ESRCH"));
    }
}
