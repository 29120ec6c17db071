package io.github.nettyunix;

import io.netty.channel.ChannelOption;

/**
 * The options of this transport's channels, besides Netty's {@code SO_SNDBUF}, {@code SO_RCVBUF}, {@code SO_BACKLOG},
 * {@code ALLOW_HALF_CLOSURE}, {@code CONNECT_TIMEOUT_MILLIS}, {@code DOMAIN_SOCKET_READ_MODE} and the rest. They can be
 * set and read at any time, from any thread.
 */
public final class UnixSocketOption {
    /**
     * Whether inbound messages are {@link UnixMessage}s (on datagram channels {@link UnixDatagramPacket}s), with the
     * descriptors and credentials that came with them. Off by default: then bytes arrive as they do in Netty's own
     * domain channels, and the kernel discards descriptors, so that nobody can push any into a process that did not ask
     * for them.
     */
    public static final ChannelOption<Boolean> RECEIVE_CONTROL_DATA = option("RECEIVE_CONTROL_DATA");

    /**
     * The most descriptors that an inbound message may bring, 0 to 253, the default. If one brings more, all of them
     * are closed and {@link ControlDataTruncatedException} is raised; with 0, descriptors are discarded, which is no
     * error.
     */
    public static final ChannelOption<Integer> MAX_FILE_DESCRIPTORS_PER_MESSAGE =
            option("MAX_FILE_DESCRIPTORS_PER_MESSAGE");

    /**
     * Whether descriptors arrive with the very bytes that they were sent with, on stream channels (Linux): a read ends
     * before a message with descriptors, and that arrives as it was sent, from its first byte to its last, in one
     * {@link UnixMessage}. Off by default: then bytes that were sent before a descriptor may arrive in one message with
     * it. It costs one system call per read, and one or two more where descriptors are coming. Proxies need it, and so
     * do readers that have no other way to find out which byte a descriptor belongs to.
     *
     * <p>The kernel keeps no more than about 32 KiB of a stream in one piece (36,544 bytes on current Linux with pages
     * of 4 KiB), and nothing in the queue shows which pieces one write has made. A longer message arrives in several,
     * its descriptors with the first one, whose first byte is still the one that they were sent with.
     *
     * <p>It throws {@link UnsupportedOperationException} elsewhere.
     */
    public static final ChannelOption<Boolean> EXACT_DESCRIPTOR_POSITIONS = option("EXACT_DESCRIPTOR_POSITIONS");

    /**
     * The most bytes that an inbound record may have, on seqpacket and datagram channels. A longer one is dropped with
     * a {@link MessageTruncatedException}. The default, 8 MiB, is more than an unprivileged sender can send. It is
     * address space, not memory.
     */
    public static final ChannelOption<Integer> MAX_MESSAGE_SIZE = option("MAX_MESSAGE_SIZE");

    /**
     * Whether inbound messages carry their sender's {@link UnixCredentials} (Linux). It turns
     * {@link #RECEIVE_CONTROL_DATA} on, with a limit of 0 descriptors unless that or
     * {@link #MAX_FILE_DESCRIPTORS_PER_MESSAGE} was set as well: to ask who is there opens no door for descriptors. Set
     * on a server it holds for the connections that it accepts, from their first message on. The kernel gives a socket
     * without a name an abstract one when it has this option and connects or sends.
     *
     * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, SO_PASSCRED
     */
    public static final ChannelOption<Boolean> SO_PASSCRED = option("SO_PASSCRED");

    /**
     * Whether inbound messages carry a descriptor of the process that sent them, {@link UnixMessage#pidFd()} (Linux 6.5
     * and later). Off by default. In all else it is like {@link #SO_PASSCRED}. Where the limit of descriptors is 0 the
     * kernel still hands over those that a sender attached, and they are closed at once: the pidfd comes behind them.
     *
     * <p>It throws {@link UnsupportedOperationException} where the kernel has no such option.
     *
     * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
     */
    public static final ChannelOption<Boolean> SO_PASSPIDFD = option("SO_PASSPIDFD");

    /**
     * Whether inbound messages carry the security label of the process that sent them,
     * {@link UnixMessage#securityLabel()} (Linux 2.6.18 and later). Off by default. It turns
     * {@link #RECEIVE_CONTROL_DATA} on and is inherited as {@link #SO_PASSCRED} is, and gives nobody a name. Labels
     * arrive where the kernel has a security module that labels sockets, such as SELinux, AppArmor or Smack, of up to
     * 512 bytes; a longer one is a {@link ControlDataTruncatedException}.
     *
     * <p>It throws {@link UnsupportedOperationException} where the kernel has no such option.
     *
     * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, SO_PASSSEC
     */
    public static final ChannelOption<Boolean> SO_PASSSEC = option("SO_PASSSEC");

    /**
     * Whether senders may attach descriptors at all (Linux 6.16 and later). On by default; off, a sender's attempt
     * fails with EPERM, and nothing of the message arrives. Inherited by what a server accepts.
     *
     * <p>Turning it off throws {@link UnsupportedOperationException} where the kernel has no such option.
     *
     * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
     */
    public static final ChannelOption<Boolean> SO_PASSRIGHTS = option("SO_PASSRIGHTS");

    /**
     * How a bind to a path treats what is there, which mode the socket file gets and when it goes. By default
     * {@link SocketFilePolicy#replaceStale()}.
     */
    public static final ChannelOption<SocketFilePolicy> SOCKET_FILE = option("SOCKET_FILE");

    /**
     * What a datagram channel does when a recipient's queue is full. By default {@link DatagramQueueFull#WAIT}.
     */
    public static final ChannelOption<DatagramQueueFull> DATAGRAM_QUEUE_FULL = option("DATAGRAM_QUEUE_FULL");

    /**
     * How long, in milliseconds, a datagram waits for its recipient with {@link DatagramQueueFull#WAIT} before it fails
     * with EAGAIN (ETOOMANYREFS if it waits because too many of the user's descriptors are in flight). By default 30
     * 000; 0 sets no limit. Promises complete in the order of the writes, so that a recipient which has stopped delays
     * those of datagrams to others, and keeps the channel unwritable, for this long at most. The time begins when a
     * datagram first finds no room.
     */
    public static final ChannelOption<Integer> DATAGRAM_WAIT_MILLIS = option("DATAGRAM_WAIT_MILLIS");

    private UnixSocketOption() {
    }

    private static <T> ChannelOption<T> option(String name) {
        return ChannelOption.valueOf(UnixSocketOption.class, name);
    }
}
