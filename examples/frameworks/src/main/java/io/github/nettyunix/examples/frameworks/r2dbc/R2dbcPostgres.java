package io.github.nettyunix.examples.frameworks.r2dbc;

import io.github.nettyunix.frameworks.reactor.UnixLoopResources;
import io.r2dbc.postgresql.PostgresqlConnectionConfiguration;
import io.r2dbc.postgresql.PostgresqlConnectionFactory;

/** A client of PostgreSQL. */
public final class R2dbcPostgres {
    private R2dbcPostgres() {
    }

    public static PostgresqlConnectionFactory newConnectionFactory(UnixLoopResources loops, String path) {
        var connections = new PostgresqlConnectionFactory(PostgresqlConnectionConfiguration.builder()
                .loopResources(loops).socket(path).username("postgres").database("postgres").build());
        return connections;
    }
}
