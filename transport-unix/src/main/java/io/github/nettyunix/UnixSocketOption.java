package io.github.nettyunix;

import io.netty.channel.ChannelOption;

/**
 * The options of this transport's channels, in addition to Netty's {@code SO_SNDBUF}, {@code SO_RCVBUF},
 * {@code SO_BACKLOG}, {@code ALLOW_HALF_CLOSURE}, {@code CONNECT_TIMEOUT_MILLIS}, {@code DOMAIN_SOCKET_READ_MODE} and
 * others. They can be set and read at any time and from any thread.
 */
public final class UnixSocketOption {
    /**
     * Whether inbound messages are {@link UnixMessage}s, or {@link UnixDatagramPacket}s on datagram channels, with the
     * descriptors and credentials that were sent with them. Off by default: bytes then arrive as on Netty's own domain
     * channels, and the kernel discards descriptors, so that nobody can push any into a process that did not request
     * them.
     */
    public static final ChannelOption<Boolean> RECEIVE_CONTROL_DATA = option("RECEIVE_CONTROL_DATA");

    /**
     * The maximum number of descriptors of an inbound message, from 0 to 253. The default is 253. If a message brings
     * more, all of them are closed and a {@link ControlDataTruncatedException} is raised. With 0, descriptors are
     * discarded without an error.
     */
    public static final ChannelOption<Integer> MAX_FILE_DESCRIPTORS_PER_MESSAGE =
            option("MAX_FILE_DESCRIPTORS_PER_MESSAGE");

    /**
     * Whether descriptors arrive with exactly the bytes that they were sent with, on stream channels (Linux). A read
     * then ends before a message that has descriptors, and that message arrives as it was sent, from its first byte to
     * its last, in one {@link UnixMessage}. Off by default: bytes that were sent before a descriptor may then arrive in
     * one message with it. The option costs one system call per read, which copies the bytes once more, and one or two
     * more where there are descriptors. Proxies need it, and so do receivers that cannot tell otherwise which byte a
     * descriptor belongs to.
     *
     * <p>The kernel splits a stream into pieces of at most about 32 KiB (36,544 bytes on current Linux with pages of 4
     * KiB), and does not reveal which pieces belong to one write. A longer message arrives in several parts. Its
     * descriptors arrive with the first part, from its first byte on. An out-of-band byte ({@code MSG_OOB}) that a
     * later one turns into a byte of the stream may begin the message that follows it.
     *
     * <p>Setting it throws {@link UnsupportedOperationException} on other platforms.
     */
    public static final ChannelOption<Boolean> EXACT_DESCRIPTOR_POSITIONS = option("EXACT_DESCRIPTOR_POSITIONS");

    /**
     * The maximum length of an inbound record in bytes, on seqpacket and datagram channels. A longer record is dropped
     * with a {@link MessageTruncatedException}. The default, 8 MiB, is more than an unprivileged sender can send. The
     * limit costs address space, not memory.
     */
    public static final ChannelOption<Integer> MAX_MESSAGE_SIZE = option("MAX_MESSAGE_SIZE");

    /**
     * The capacity in bytes of the memory that a {@link UnixSharedMemoryChannel} writes to and its peer reads from. It
     * is rounded up to a power of two, from 64 KiB to 512 MiB. The default is 1 MiB. It applies to the channel's own
     * direction only, and must be set before the channel connects; for the channels of a server, as a child option. A
     * message that is longer than a quarter of it passes in pieces. Memory is used up to the largest amount that has
     * ever waited for the peer, and counts for the process that writes.
     */
    public static final ChannelOption<Integer> SHARED_MEMORY_CAPACITY = option("SHARED_MEMORY_CAPACITY");

    /**
     * Whether a {@link UnixSharedMemoryChannel} delivers a record that arrives in pieces as {@link UnixRecordPart}s,
     * one for each piece as it comes, instead of putting it together. Off by default. Shorter records, which arrive
     * whole, and those with descriptors or credentials are delivered as without the option. {@link #MAX_MESSAGE_SIZE}
     * does not apply to parts. It saves the copy and the memory that putting the pieces together takes.
     */
    public static final ChannelOption<Boolean> RECORD_PARTS = option("RECORD_PARTS");

    /**
     * Whether a {@link UnixSharedMemoryChannel} delivers buffers that are the shared memory itself instead of a copy.
     * Off by default. The peer can write there again once the buffer is released; buffers may be released in any order
     * and on any thread, but one that is kept keeps all that was read after it, so that the peer soon has no room to
     * write. A hostile peer can change the bytes while they are read, so a handler must read each of them once, or
     * trust the peer. Only records that arrive whole, and the parts of {@link #RECORD_PARTS}, are delivered like this.
     */
    public static final ChannelOption<Boolean> ZERO_COPY_READS = option("ZERO_COPY_READS");

    /**
     * Whether inbound messages carry their sender's {@link UnixCredentials} (Linux). Off by default. This option
     * enables control data as {@link #RECEIVE_CONTROL_DATA} does, but with a limit of 0 descriptors, unless that option
     * or {@link #MAX_FILE_DESCRIPTORS_PER_MESSAGE} is set as well: requesting identities does not admit descriptors.
     * Set on a server, it applies to the connections that the server accepts, from their first message on. The kernel
     * gives a socket without a name an abstract one when it has this option and connects or sends.
     *
     * <p>Handlers of {@link io.netty.buffer.ByteBuf}s, such as codecs, then need a
     * {@link io.github.nettyunix.handler.UnixMessageContentHandler} in front of them.
     *
     * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, SO_PASSCRED
     */
    public static final ChannelOption<Boolean> SO_PASSCRED = option("SO_PASSCRED");

    /**
     * Whether inbound messages carry a descriptor of the process that sent them, {@link UnixMessage#pidFd()} (Linux 6.5
     * and later). Off by default. Otherwise it works like {@link #SO_PASSCRED}. If the limit of descriptors is 0, the
     * kernel still delivers descriptors that a sender attached, because the pidfd comes after them; they are closed at
     * once.
     *
     * <p>Setting it throws {@link UnsupportedOperationException} if the kernel has no such option.
     *
     * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
     */
    public static final ChannelOption<Boolean> SO_PASSPIDFD = option("SO_PASSPIDFD");

    /**
     * Whether inbound messages carry the security label of the process that sent them,
     * {@link UnixMessage#securityLabel()} (Linux 2.6.18 and later). Off by default. Like {@link #SO_PASSCRED}, it
     * enables control data and is inherited by accepted connections, but it does not give sockets a name. Labels exist
     * only if the kernel has a security module that labels sockets, such as SELinux, AppArmor or Smack. They have at
     * most 512 bytes; a longer one raises a {@link ControlDataTruncatedException}.
     *
     * <p>Setting it throws {@link UnsupportedOperationException} if the kernel has no such option.
     *
     * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, SO_PASSSEC
     */
    public static final ChannelOption<Boolean> SO_PASSSEC = option("SO_PASSSEC");

    /**
     * Whether senders may attach descriptors at all (Linux 6.16 and later). On by default. When it is off, such a send
     * fails with EPERM and nothing of the message arrives. Accepted connections inherit it from their server.
     *
     * <p>Turning it off throws {@link UnsupportedOperationException} if the kernel has no such option.
     *
     * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
     */
    public static final ChannelOption<Boolean> SO_PASSRIGHTS = option("SO_PASSRIGHTS");

    /**
     * What {@code bind} does if the path exists already, which mode and group the socket file gets, and when it is
     * removed. The default is {@link SocketFilePolicy#replaceStale()}.
     */
    public static final ChannelOption<SocketFilePolicy> SOCKET_FILE = option("SOCKET_FILE");

    /**
     * What a datagram channel does when a recipient's queue is full. The default is {@link DatagramQueueFull#WAIT}.
     */
    public static final ChannelOption<DatagramQueueFull> DATAGRAM_QUEUE_FULL = option("DATAGRAM_QUEUE_FULL");

    /**
     * How long, in milliseconds, a datagram waits for its recipient with {@link DatagramQueueFull#WAIT} before it fails
     * with EAGAIN, or with ETOOMANYREFS if it waits because too many of the user's descriptors are in flight. The
     * default is 30,000; 0 means no limit. The time starts when a datagram first finds no room. Promises complete in
     * the order of the writes. A recipient that has stopped reading can therefore delay the promises of datagrams to
     * other recipients, and keep the channel unwritable, for at most this long.
     */
    public static final ChannelOption<Integer> DATAGRAM_WAIT_MILLIS = option("DATAGRAM_WAIT_MILLIS");

    private UnixSocketOption() {
    }

    private static <T> ChannelOption<T> option(String name) {
        return ChannelOption.valueOf(UnixSocketOption.class, name);
    }
}
