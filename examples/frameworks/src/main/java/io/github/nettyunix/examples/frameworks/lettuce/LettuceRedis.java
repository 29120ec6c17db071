package io.github.nettyunix.examples.frameworks.lettuce;

import io.github.nettyunix.frameworks.lettuce.UnixRedisClient;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.resource.ClientResources;

/** A client of Redis. */
public final class LettuceRedis {
    private LettuceRedis() {
    }

    public static RedisClient newClient(ClientResources resources, String path) {
        RedisClient client = new UnixRedisClient(resources, RedisURI.Builder.socket(path).build());
        return client;
    }
}
