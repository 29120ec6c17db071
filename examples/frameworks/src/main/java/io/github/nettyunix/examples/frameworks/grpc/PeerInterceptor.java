package io.github.nettyunix.examples.frameworks.grpc;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.frameworks.grpc.UnixGrpc;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusException;

import java.io.IOException;
import java.util.List;
import java.util.function.Predicate;

/** Admits calls by the credentials of their peers, and passes these and the calls' descriptors to the service. */
public final class PeerInterceptor implements ServerInterceptor {
    public static final Context.Key<UnixCredentials> CREDENTIALS = Context.key("credentials");
    public static final Context.Key<List<UnixFileDescriptor>> FILES = Context.key("files");

    private final Predicate<? super UnixCredentials> admitted;

    public PeerInterceptor(Predicate<? super UnixCredentials> admitted) {
        this.admitted = admitted;
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers,
            ServerCallHandler<Q, R> next) {
        try {
            UnixCredentials credentials = UnixGrpc.peer(call).peerCredentials();
            if (admitted.test(credentials)) {
                List<UnixFileDescriptor> files = UnixGrpc.takeFileDescriptors(call, headers);
                Context context = Context.current().withValues(CREDENTIALS, credentials, FILES, files);
                return Contexts.interceptCall(context, call, headers, next);
            }
            call.close(Status.PERMISSION_DENIED.withDescription("user " + credentials.uid()), new Metadata());
        } catch (IOException e) {
            call.close(Status.UNAUTHENTICATED.withCause(e), new Metadata());
        } catch (StatusException e) {
            call.close(e.getStatus(), new Metadata());
        }
        return new ServerCall.Listener<>() { };
    }
}
