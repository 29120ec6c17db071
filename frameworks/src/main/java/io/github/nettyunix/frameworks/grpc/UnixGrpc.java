package io.github.nettyunix.frameworks.grpc;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.grpc.Attributes;
import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;

import java.util.List;

/**
 * gRPC on Unix sockets: builders for servers and clients, and in a server's interceptors the peer of a call and the
 * file descriptors that it was sent with.
 * <pre>{@code
 * Server server = UnixGrpc.newServerBuilder(address, group)
 *         .addService(service)
 *         .intercept(new ServerInterceptor() {
 *             public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
 *                     ServerCallHandler<Q, R> next) {
 *                 UnixPeer peer = UnixGrpc.peer(call);
 *                 ...
 *                 return next.startCall(call, headers);
 *             }
 *         }).build().start();
 * ManagedChannel channel = UnixGrpc.newChannelBuilder(address, group).build();
 * }</pre>
 *
 * <p>The group's event loops must be of a kind that the transport supports, see
 * {@link io.github.nettyunix.UnixTransport#newIoHandlerFactory()}. All methods are thread-safe.
 */
public final class UnixGrpc {
    private UnixGrpc() {
    }

    /**
     * Returns a builder of servers that refuse descriptors. All its settings may be changed, except its channel type
     * and its channel factory.
     *
     * @param address the address to listen to
     * @param group the event loops, which the caller must shut down after the server
     * @return the builder
     */
    public static NettyServerBuilder newServerBuilder(UnixSocketAddress address, EventLoopGroup group) {
        return newServerBuilder(address, group, 0);
    }

    /**
     * Returns a builder of servers that receive descriptors. All its settings may be changed, except its channel type
     * and its channel factory.
     *
     * @param address the address to listen to
     * @param group the event loops, which the caller must shut down after the server
     * @param descriptorLimit how many descriptors of a connection may wait for the call that takes them. If there are
     *        more, those that have waited longest are closed, as are those that wait for 60 seconds or longer. With 0,
     *        the kernel discards all descriptors
     * @return the builder
     */
    public static NettyServerBuilder newServerBuilder(UnixSocketAddress address, EventLoopGroup group,
            int descriptorLimit) {
        if (descriptorLimit < 0) {
            throw new IllegalArgumentException("descriptorLimit: " + descriptorLimit);
        }
        return NettyServerBuilder.forAddress(address).bossEventLoopGroup(group).workerEventLoopGroup(group)
                .channelFactory(() -> newServerChannel(descriptorLimit))
                .addTransportFilter(new ServerTransportFilter() {
                    @Override
                    public Attributes transportReady(Attributes attributes) {
                        return ServerConnection.attach(attributes);
                    }
                });
    }

    private static UnixServerStreamChannel newServerChannel(int descriptorLimit) {
        UnixServerStreamChannel server = new UnixServerStreamChannel();
        server.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                UnixStreamChannel child = (UnixStreamChannel) message;
                child.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, descriptorLimit > 0);
                child.pipeline().addLast(new ServerConnection(child, descriptorLimit));
                ctx.fireChannelRead(child);
            }
        });
        return server;
    }

    /**
     * Returns a builder of clients that use no TLS and whose authority is {@code localhost}. All its settings may be
     * changed, except its channel type and its channel factory.
     *
     * @param address the server's address
     * @param group the event loops, which the caller must shut down after the channel
     * @return the builder
     */
    public static NettyChannelBuilder newChannelBuilder(UnixSocketAddress address, EventLoopGroup group) {
        return NettyChannelBuilder.forAddress(address).eventLoopGroup(group)
                .channelFactory(UnixGrpc::newClientChannel, UnixSocketAddress.class)
                // gRPC would make one of the address, which has characters that an authority may not have.
                .overrideAuthority("localhost")
                .usePlaintext();
    }

    private static UnixStreamChannel newClientChannel() {
        UnixStreamChannel client = new UnixStreamChannel();
        client.pipeline().addLast(new ClientConnection());
        return client;
    }

    /**
     * Returns the process that makes a call. Its methods query the kernel, and throw an exception if the connection has
     * closed.
     *
     * @param call a call to a server of {@link #newServerBuilder}
     * @return the peer
     * @throws IllegalArgumentException if the server is another one
     */
    public static UnixPeer peer(ServerCall<?, ?> call) {
        return connection(call).peer();
    }

    /**
     * Takes the descriptors that a call was sent with, see {@link #withFileDescriptors}. An interceptor must take them:
     * they are closed if they have waited for too long.
     *
     * @param call a call to a server of {@link #newServerBuilder}
     * @param headers the call's headers
     * @return the descriptors, which the caller must release; an empty list if the call has none
     * @throws StatusException with the status to close the call with: {@link Status#FAILED_PRECONDITION} if they are
     *         not there, because the server receives none, they were taken already, too many were waiting, or the
     *         client has not sent them; {@link Status#INVALID_ARGUMENT} if the header that names them is malformed
     * @throws IllegalArgumentException if the server is another one
     */
    public static List<UnixFileDescriptor> takeFileDescriptors(ServerCall<?, ?> call, Metadata headers)
            throws StatusException {
        ServerConnection connection = connection(call);
        DescriptorRange range;
        try {
            range = headers.get(DescriptorRange.KEY);
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw Status.INVALID_ARGUMENT.withDescription(DescriptorRange.KEY.name()).withCause(e).asException();
        }
        List<UnixFileDescriptor> fds = range == null ? List.of() : connection.take(range);
        if (fds == null) {
            throw Status.FAILED_PRECONDITION.withDescription("the server has not got the " + range.count()
                    + " descriptors of this call, or has closed them").asException();
        }
        return fds;
    }

    private static ServerConnection connection(ServerCall<?, ?> call) {
        ServerConnection connection = ServerConnection.of(call.getAttributes());
        if (connection == null) {
            throw new IllegalArgumentException("not a call to a server of UnixGrpc.newServerBuilder: "
                    + call.getMethodDescriptor().getFullMethodName());
        }
        return connection;
    }

    /**
     * Returns an interceptor that sends descriptors with each call, to a server that receives them:
     * <pre>{@code
     * stub.withInterceptors(UnixGrpc.withFileDescriptors(List.of(file))).store(request);
     * }</pre>
     * It needs a channel of {@link #newChannelBuilder}. Calls on other channels are sent without the descriptors, and
     * {@link #takeFileDescriptors} fails for them.
     *
     * @param fds the descriptors, up to 253, which stay the caller's and must stay open until the call has ended
     * @return the interceptor
     * @throws IllegalArgumentException if there are too many
     */
    public static ClientInterceptor withFileDescriptors(List<UnixFileDescriptor> fds) {
        if (fds.size() > UnixMessage.MAX_FILE_DESCRIPTORS) {
            throw new IllegalArgumentException(fds.size() + " descriptors; a call may have up to "
                    + UnixMessage.MAX_FILE_DESCRIPTORS);
        }
        return new DescriptorsInterceptor(fds);
    }
}
