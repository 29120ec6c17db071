package io.github.nettyunix.examples.frameworks.grpc;

import com.google.protobuf.Empty;
import com.google.protobuf.Int64Value;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.frameworks.grpc.UnixGrpc;
import io.github.nettyunix.handler.PeerAuthorizationHandler;
import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** A service that returns the size of all files that a call has passed, and its client. */
public final class FileSizes implements BindableService {
    private static final MethodDescriptor<Empty, Int64Value> SUM = MethodDescriptor.<Empty, Int64Value>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("io.github.nettyunix.examples.FileSizes/Sum")
            .setRequestMarshaller(ProtoUtils.marshaller(Empty.getDefaultInstance()))
            .setResponseMarshaller(ProtoUtils.marshaller(Int64Value.getDefaultInstance()))
            .build();

    @Override
    public ServerServiceDefinition bindService() {
        return ServerServiceDefinition.builder("io.github.nettyunix.examples.FileSizes")
                .addMethod(SUM, ServerCalls.asyncUnaryCall(FileSizes::sum)).build();
    }

    private static void sum(Empty request, StreamObserver<Int64Value> response) {
        List<UnixFileDescriptor> files = PeerInterceptor.FILES.get();
        try {
            long sum = 0;
            for (UnixFileDescriptor file : files) {
                try (FileChannel channel = file.toFileChannel(StandardOpenOption.READ)) {
                    sum += channel.size();
                }
            }
            response.onNext(Int64Value.of(sum));
            response.onCompleted();
        } catch (IOException e) {
            response.onError(Status.INVALID_ARGUMENT.withCause(e).asException());
        } finally {
            files.forEach(UnixFileDescriptor::release);
        }
    }

    /** A server for processes of this user only, whose calls may have up to 1000 descriptors in all. */
    public static Server startServer(UnixSocketAddress address, EventLoopGroup group) throws IOException {
        Server server = UnixGrpc.newServerBuilder(address, group, 1000)
                .addService(new FileSizes())
                .intercept(new PeerInterceptor(PeerAuthorizationHandler.sameUser()))
                .build().start();
        return server;
    }

    public static long sum(Channel channel, List<UnixFileDescriptor> files) {
        Channel withFiles = ClientInterceptors.intercept(channel, UnixGrpc.withFileDescriptors(files));
        return ClientCalls.blockingUnaryCall(withFiles.newCall(SUM, CallOptions.DEFAULT),
                Empty.getDefaultInstance()).getValue();
    }
}
