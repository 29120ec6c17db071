package io.github.nettyunix.frameworks.grpc;

import io.github.nettyunix.UnixFileDescriptor;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;

import java.util.List;

/**
 * Sends descriptors with calls. gRPC calls a stream tracer when it knows the connection of a call, while the call's
 * headers may still be changed, and does so again when it retries the call.
 */
final class DescriptorsInterceptor implements ClientInterceptor {
    private final List<UnixFileDescriptor> fds;

    DescriptorsInterceptor(List<UnixFileDescriptor> fds) {
        this.fds = List.copyOf(fds);
    }

    @Override
    public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(MethodDescriptor<ReqT, RespT> method,
            CallOptions options, Channel next) {
        return next.newCall(method, options.withStreamTracerFactory(new ClientStreamTracer.Factory() {
            @Override
            public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
                return new ClientStreamTracer() {
                    @Override
                    public void streamCreated(Attributes transport, Metadata streamHeaders) {
                        // On another kind of connection the server finds that they have not arrived.
                        ClientConnection connection = ClientConnection.of(transport);
                        DescriptorRange range = connection != null ? connection.send(fds)
                                : new DescriptorRange(0, fds.size());
                        streamHeaders.discardAll(DescriptorRange.KEY);
                        streamHeaders.put(DescriptorRange.KEY, range);
                    }
                };
            }
        }));
    }
}
