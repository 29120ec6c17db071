package io.github.nettyunix.examples.frameworks.lettuce;

import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

class LettuceRedisTest {
    @TempDir
    private Path folder;
    private final BlockingQueue<Channel> channels = new LinkedBlockingQueue<>();
    private final ClientResources resources = ClientResources.builder().nettyCustomizer(new NettyCustomizer() {
        @Override
        public void afterChannelInitialized(Channel channel) {
            channels.add(channel);
        }
    }).build();
    private RedisClient client;
    private Program server;

    @BeforeEach
    void start() throws Exception {
        server = startServer();
        client = LettuceRedis.newClient(resources, path());
    }

    private String path() {
        return folder.resolve("redis.sock").toString();
    }

    private Program startServer() throws Exception {
        Program program = Program.start("redis-server", "--port", "0", "--unixsocket", path(), "--save", "", "--dir",
                folder.toString());
        program.awaitLine("ready to accept connections");
        return program;
    }

    @AfterEach
    void stop() {
        client.shutdown();
        resources.shutdown();
        server.close();
    }

    @Test
    void commandsInAPipeline() throws Exception {
        try (StatefulRedisConnection<String, String> connection = client.connect()) {
            assertEquals("PONG", connection.sync().ping());
            List<RedisFuture<Long>> counts = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                counts.add(connection.async().incr("count"));
            }
            assertEquals(1000, counts.get(999).get(1, TimeUnit.MINUTES));
            String large = "x".repeat(1 << 20);
            connection.sync().set("large", large);
            assertEquals(large, connection.sync().get("large"));
        }
        assertInstanceOf(UnixStreamChannel.class, channels.take());
        Evidence.of("redis", "commands of Lettuce");
    }

    @Test
    void messagesOfASubscription() throws Exception {
        CompletableFuture<String> received = new CompletableFuture<>();
        CompletableFuture<Void> subscribed = new CompletableFuture<>();
        try (StatefulRedisPubSubConnection<String, String> subscriber = client.connectPubSub();
                StatefulRedisConnection<String, String> publisher = client.connect()) {
            subscriber.addListener(new RedisPubSubAdapter<>() {
                @Override
                public void subscribed(String channel, long count) {
                    subscribed.complete(null);
                }

                @Override
                public void message(String channel, String message) {
                    received.complete(message);
                }
            });
            subscriber.sync().subscribe("news");
            subscribed.get(1, TimeUnit.MINUTES);
            publisher.sync().publish("news", "hello");
            assertEquals("hello", received.get(1, TimeUnit.MINUTES));
        }
    }

    @Test
    void aConnectionComesBackAfterItsServer() throws Exception {
        try (StatefulRedisConnection<String, String> connection = client.connect()) {
            Channel first = channels.take();
            server.terminate().exitValue();
            first.closeFuture().sync();
            server = startServer();
            assertEquals("PONG", connection.sync().ping());
            assertInstanceOf(UnixStreamChannel.class, channels.take());
        }
        Evidence.of("redis", "Lettuce reconnects when it has been started again");
    }
}
