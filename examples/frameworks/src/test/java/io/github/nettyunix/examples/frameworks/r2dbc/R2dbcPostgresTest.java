package io.github.nettyunix.examples.frameworks.r2dbc;

import io.github.nettyunix.examples.frameworks.EventLoops;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Postgres;
import io.github.nettyunix.examples.testing.Program;
import io.github.nettyunix.frameworks.reactor.UnixLoopResources;
import io.netty.channel.EventLoopGroup;
import io.r2dbc.postgresql.PostgresqlConnectionFactory;
import io.r2dbc.postgresql.api.Notification;
import io.r2dbc.postgresql.api.PostgresqlConnection;
import io.r2dbc.postgresql.api.PostgresqlResult;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;

class R2dbcPostgresTest {
    @TempDir
    private Path folder;
    private final EventLoopGroup group = EventLoops.newGroup();
    private final UnixLoopResources loops = new UnixLoopResources(group);
    private Program server;
    private PostgresqlConnectionFactory connections;

    @BeforeEach
    void start() throws Exception {
        server = Postgres.start(folder);
        connections = R2dbcPostgres.newConnectionFactory(loops, folder.resolve(Postgres.SOCKET).toString());
    }

    @AfterEach
    void stop() {
        loops.disposeLater(Duration.ZERO, Duration.ofMinutes(1)).block();
        server.close();
    }

    private static List<Integer> numbers(PostgresqlConnection connection, String query, int upTo) {
        return connection.createStatement(query).bind("$1", upTo).execute()
                .flatMap(result -> result.map((row, metadata) -> row.get(0, Integer.class))).collectList().block();
    }

    private static void update(PostgresqlConnection connection, String statement) {
        connection.createStatement(statement).execute().flatMap(PostgresqlResult::getRowsUpdated).blockLast();
    }

    @Test
    void queriesAndNotifications() throws Exception {
        PostgresqlConnection connection = connections.create().block();
        try {
            assertEquals(List.of(1, 2, 3), numbers(connection, "select generate_series(1, $1)", 3));
            assertEquals(100_000, numbers(connection, "select generate_series(1, $1)", 100_000).size());
            CompletableFuture<Notification> notification = connection.getNotifications().next().toFuture();
            update(connection, "listen news");
            PostgresqlConnection other = connections.create().block();
            update(other, "notify news, 'hello'");
            other.close().block();
            assertEquals("hello", notification.get(1, TimeUnit.MINUTES).getParameter());
        } finally {
            connection.close().block();
        }
        Evidence.of("PostgreSQL", "queries and notifications of r2dbc-postgresql");
    }
}
