package io.github.nettyunix.micrometer;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.ReferenceCountUtil;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The meters as a Prometheus server would read them: with curl, over a Unix socket. */
class PrometheusTest {
    private static final String TAG = "{event_loop=\"0\"";

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, UnixTransport.newIoHandlerFactory());
    private final EventLoopGroup httpGroup = new MultiThreadIoEventLoopGroup(1, UnixTransport.newIoHandlerFactory());
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    @TempDir
    private Path folder;

    @AfterEach
    void shutDown() throws InterruptedException {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        httpGroup.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
    }

    /** Serves the registry, and returns the path of the socket. */
    private Path serve() throws InterruptedException {
        Path path = folder.resolve("metrics.sock");
        new ServerBootstrap().group(httpGroup).channel(UnixServerStreamChannel.class)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new HttpServerCodec(), new HttpObjectAggregator(1 << 16),
                                new SimpleChannelInboundHandler<FullHttpRequest>() {
                                    @Override
                                    protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
                                        ctx.writeAndFlush(scraped());
                                    }
                                });
                    }
                })
                .bind(UnixSocketAddress.of(path)).sync();
        return path;
    }

    private FullHttpResponse scraped() {
        ByteBuf text = Unpooled.copiedBuffer(registry.scrape(), StandardCharsets.UTF_8);
        FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK, text);
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, "text/plain; version=0.0.4")
                .set(HttpHeaderNames.CONTENT_LENGTH, text.readableBytes());
        return response;
    }

    private static void assertLine(List<String> lines, String line) {
        assertTrue(lines.contains(line), () -> line + " is missing in\n" + String.join("\n", lines));
    }

    /** Sends a message with descriptors over a pair of channels of the group, and waits until it has arrived. */
    private void send() throws Exception {
        List<UnixStreamChannel> pair = UnixStreamChannel.pair();
        CountDownLatch arrived = new CountDownLatch(1);
        pair.get(1).config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        pair.get(1).pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ReferenceCountUtil.release(message);
                arrived.countDown();
            }
        });
        for (Channel channel : pair) {
            group.register(channel).sync();
        }
        pair.get(0).writeAndFlush(new UnixMessage(Unpooled.copiedBuffer("hello", StandardCharsets.UTF_8),
                UnixFileDescriptor.eventFd(0, false), UnixFileDescriptor.eventFd(0, false))).sync();
        arrived.await();
        for (Channel channel : pair) {
            channel.close().sync();
        }
    }

    @Test
    void curlScrapesTheCountersOfAnEventLoop() throws Exception {
        new UnixEventLoopMetrics(group).bindTo(registry);
        new UnixEventLoopMetrics(httpGroup, Tags.of("group", "http")).bindTo(new SimpleMeterRegistry());
        Path socket = serve();
        assertLine(Curl.get(socket), "netty_unix_messages_total{direction=\"sent\",event_loop=\"0\"} 0.0");
        for (int i = 0; i < 3; i++) {
            send();
        }
        List<String> lines = Curl.get(socket);
        for (String direction : List.of("received", "sent")) {
            assertLine(lines, "netty_unix_messages_total{direction=\"" + direction + "\",event_loop=\"0\"} 3.0");
            assertLine(lines, "netty_unix_data_bytes_total{direction=\"" + direction + "\",event_loop=\"0\"} 15.0");
            assertLine(lines, "netty_unix_file_descriptors_total{direction=\"" + direction
                    + "\",event_loop=\"0\"} 6.0");
        }
        for (String name : List.of("file_descriptors_refused", "file_descriptors_unclaimed", "messages_dropped",
                "connections_accepted", "accept_errors", "write_waits")) {
            assertLine(lines, "netty_unix_" + name + "_total" + TAG + "} 0.0");
        }
        assertLine(lines, "netty_unix_truncations_total" + TAG + ",part=\"content\"} 0.0");
        assertLine(lines, "netty_unix_truncations_total" + TAG + ",part=\"control_data\"} 0.0");
        for (String operation : List.of("read", "write", "connect")) {
            assertLine(lines, "netty_unix_retries_total" + TAG + ",operation=\"" + operation + "\"} 0.0");
        }
        Curl.proved("scrapes the counters of event loops from a Prometheus registry");
    }

    @Test
    void eachEventLoopHasMetersOfItsOwn() throws Exception {
        EventLoopGroup two = new MultiThreadIoEventLoopGroup(2, UnixTransport.newIoHandlerFactory());
        SimpleMeterRegistry simple = new SimpleMeterRegistry();
        new UnixEventLoopMetrics(two, Tags.of("group", "two")).bindTo(simple);
        Channel channel = UnixStreamChannel.pair().get(0);
        two.register(channel).sync();
        channel.writeAndFlush(Unpooled.copiedBuffer("x", StandardCharsets.UTF_8)).await();
        List<Double> counts = new ArrayList<>();
        for (String loop : List.of("0", "1")) {
            counts.add(simple.get("netty.unix.messages").tags("group", "two", "event.loop", loop, "direction", "sent")
                    .functionCounter().count());
        }
        assertEquals(1, counts.get(0) + counts.get(1));
        channel.close().sync();
        two.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
    }

    @Test
    void metersOfAChannelAreRemovedWhenItCloses() throws Exception {
        SimpleMeterRegistry simple = new SimpleMeterRegistry();
        List<UnixStreamChannel> pair = UnixStreamChannel.pair();
        Channel other = UnixStreamChannel.pair().get(0);
        for (Channel channel : List.of(pair.get(0), pair.get(1), other)) {
            group.register(channel).sync();
        }
        new UnixChannelMetrics(pair.get(0), Tags.of("socket", "first")).bindTo(simple);
        new UnixChannelMetrics(other, Tags.of("socket", "second")).bindTo(simple);
        pair.get(0).writeAndFlush(Unpooled.copiedBuffer("hello", StandardCharsets.UTF_8)).sync();
        FunctionCounter sent = simple.get("netty.unix.channel.data").tags("socket", "first", "direction", "sent")
                .functionCounter();
        assertEquals(5, sent.count());
        assertEquals("bytes", sent.getId().getBaseUnit());

        int before = simple.getMeters().size();
        pair.get(0).close().sync();
        group.next().submit(() -> { }).sync();
        List<Meter> left = simple.getMeters();
        assertEquals(before / 2, left.size());
        assertTrue(left.stream().allMatch(meter -> meter.getId().getTag("socket").equals("second")));
        other.close().sync();
    }

    @Test
    void channelsOfOtherTransportsHaveNoMeters() {
        assertThrows(IllegalArgumentException.class, () -> new UnixChannelMetrics(new EmbeddedChannel(), Tags.empty()));
    }
}
