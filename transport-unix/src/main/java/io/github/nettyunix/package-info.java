/**
 * Netty channels for Unix domain sockets of all three types. Messages carry bytes, file descriptors and credentials
 * together.
 *
 * <h2>Start here</h2>
 * {@link io.github.nettyunix.UnixTransport} creates event loops, reports whether the transport is available, and turns
 * sockets from elsewhere into channels. The channel classes for a {@link io.netty.bootstrap.Bootstrap} or a
 * {@link io.netty.bootstrap.ServerBootstrap} are:
 * <ul>
 * <li>streams: {@link io.github.nettyunix.UnixServerStreamChannel} and {@link io.github.nettyunix.UnixStreamChannel}
 * <li>records on a connection: {@link io.github.nettyunix.UnixServerSeqpacketChannel} and
 * {@link io.github.nettyunix.UnixSeqpacketChannel}
 * <li>datagrams: {@link io.github.nettyunix.UnixDatagramChannel}
 * </ul>
 *
 * <h2>Values</h2>
 * <ul>
 * <li>{@link io.github.nettyunix.UnixSocketAddress}: a path, an abstract name, or no name
 * <li>{@link io.github.nettyunix.UnixMessage} and {@link io.github.nettyunix.UnixDatagramPacket}: bytes with
 * descriptors and the sender's identity
 * <li>{@link io.github.nettyunix.UnixFileDescriptor}: a file descriptor with an owner;
 * {@link io.github.nettyunix.SealedMemory} maps memory files, {@link io.github.nettyunix.EventCounter} uses eventfds,
 * and {@link io.github.nettyunix.DescriptorWatch} waits for descriptors of any type
 * <li>{@link io.github.nettyunix.UnixCredentials}, and {@link io.github.nettyunix.UnixPeer} for the other end of a
 * connection
 * <li>{@link io.github.nettyunix.SocketActivation}: sockets that systemd has passed to this process
 * </ul>
 * The handlers of {@link io.github.nettyunix.handler} check these values. {@link io.github.nettyunix.process} starts
 * programs that inherit descriptors.
 *
 * <h2>Options</h2>
 * {@link io.github.nettyunix.UnixSocketOption} lists the options of this transport, with
 * {@link io.github.nettyunix.SocketFilePolicy} and {@link io.github.nettyunix.DatagramQueueFull} as values;
 * {@link io.github.nettyunix.UnixChannelConfig} is the configuration of a channel, and
 * {@link io.github.nettyunix.UnixServerChannelConfig} that of a server. By default, inbound messages are plain
 * {@link io.netty.buffer.ByteBuf}s, and descriptors are not received:
 * {@link io.github.nettyunix.UnixSocketOption#RECEIVE_CONTROL_DATA} enables them.
 *
 * <h2>Errors</h2>
 * Exceptions have the types that code written for Netty catches, and implement
 * {@link io.github.nettyunix.UnixSocketError}, which reports the operation, the address and the error as a constant of
 * {@link io.github.nettyunix.UnixErrno}. A {@link io.github.nettyunix.MessageTruncatedException} or a
 * {@link io.github.nettyunix.ControlDataTruncatedException} reports a message that was lost on receipt.
 */
package io.github.nettyunix;
