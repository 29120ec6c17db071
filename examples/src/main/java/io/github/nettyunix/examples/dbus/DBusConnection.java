package io.github.nettyunix.examples.dbus;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.examples.dbus.DBusMessage.Type;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;

import java.io.IOException;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/** A connection to a bus, which sends calls and handles incoming ones. */
final class DBusConnection extends SimpleChannelInboundHandler<DBusMessage> {
    /** The name of the bus itself. */
    static final String BUS = "org.freedesktop.DBus";
    private static final String BUS_PATH = "/org/freedesktop/DBus";
    private static final String FAILED = "org.freedesktop.DBus.Error.Failed";

    private final Service service;
    private final Map<Integer, Promise<DBusMessage>> waiting = new HashMap<>();
    private Channel channel;
    private Promise<DBusMessage> greeted;
    private int serial;

    private DBusConnection(Service service) {
        this.service = service;
    }

    /** Connects, and waits until the bus has accepted the connection. */
    static DBusConnection open(EventLoopGroup group, UnixSocketAddress bus, Service service)
            throws IOException, InterruptedException {
        DBusConnection connection = new DBusConnection(service);
        new Bootstrap().group(group).channel(UnixStreamChannel.class)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        connection.channel = channel;
                        connection.greeted = channel.eventLoop().newPromise();
                        channel.pipeline().addLast(new SaslHandler(), connection);
                    }
                })
                .connect(bus).sync();
        result(connection.greeted).release();
        return connection;
    }

    /** Waits for the reply to a call, which the caller must release. */
    static DBusMessage result(Future<DBusMessage> call) throws IOException, InterruptedException {
        if (!call.await().isSuccess()) {
            throw call.cause() instanceof IOException e ? e : new IOException(call.cause());
        }
        return call.getNow();
    }

    /** Waits until the event loops end; fails if the bus closes the connection first. */
    void awaitEnd() throws IOException, InterruptedException {
        channel.closeFuture().sync();
        if (!channel.eventLoop().isShuttingDown()) {
            throw new IOException("the bus has closed the connection");
        }
    }

    /** Calls a method of the bus. */
    Future<DBusMessage> callBus(String member, String signature, Object... arguments) {
        return call(BUS, BUS_PATH, BUS, member, signature, arguments);
    }

    /** Calls a method, and transfers the ownership of the descriptors among the arguments. */
    Future<DBusMessage> call(String destination, String path, String type, String member, String signature,
            Object... arguments) {
        Map<HeaderField, Object> fields = new EnumMap<>(Map.of(HeaderField.DESTINATION, destination, HeaderField.PATH,
                path, HeaderField.INTERFACE, type, HeaderField.MEMBER, member));
        Promise<DBusMessage> reply = channel.eventLoop().newPromise();
        channel.eventLoop().execute(() -> {
            DBusMessage call = DBusMessage.of(Type.METHOD_CALL, ++serial, fields, signature, arguments);
            waiting.put(call.serial(), reply);
            send(call);
        });
        return reply;
    }

    private void send(DBusMessage message) {
        channel.writeAndFlush(message).addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == SaslHandler.AUTHENTICATED) {
            callBus("Hello", "").addListener((Future<DBusMessage> hello) -> {
                if (hello.isSuccess()) {
                    greeted.setSuccess(hello.getNow());
                } else {
                    greeted.setFailure(hello.cause());
                }
            });
        }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, DBusMessage message) {
        switch (message.type()) {
            case METHOD_CALL -> answer(message);
            case METHOD_RETURN, ERROR -> {
                Promise<DBusMessage> reply = waiting.remove(message.fields().get(HeaderField.REPLY_SERIAL));
                if (reply != null && message.type() == Type.METHOD_RETURN) {
                    message.retain();
                    reply.setSuccess(message);
                } else if (reply != null) {
                    String text = message.signature().startsWith("s") ? (String) message.body().get(0) : "";
                    reply.setFailure(new DBusException(message.text(HeaderField.ERROR_NAME), text));
                }
            }
            default -> {
                // Signals; the bus sends some without a request.
            }
        }
    }

    private void answer(DBusMessage call) {
        Map<HeaderField, Object> fields = new EnumMap<>(Map.of(HeaderField.DESTINATION, call.text(HeaderField.SENDER),
                HeaderField.REPLY_SERIAL, call.serial()));
        DBusMessage reply;
        try {
            Service.Answer answer = service.answer(call);
            reply = DBusMessage.of(Type.METHOD_RETURN, ++serial, fields, answer.signature(), answer.values());
        } catch (Exception e) {
            DBusException error = e instanceof DBusException known ? known
                    : new DBusException(FAILED, String.valueOf(e.getMessage()));
            fields.put(HeaderField.ERROR_NAME, error.name());
            reply = DBusMessage.of(Type.ERROR, ++serial, fields, "s", error.text());
        }
        if ((call.flags() & DBusMessage.NO_REPLY_EXPECTED) != 0) {
            reply.release();
        } else {
            send(reply);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        fail(new IOException("the connection to the bus is closed"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(cause);
        ctx.close();
    }

    private void fail(Throwable cause) {
        greeted.tryFailure(cause);
        waiting.values().forEach(reply -> reply.tryFailure(cause));
        waiting.clear();
    }
}
