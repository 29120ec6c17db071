package io.github.nettyunix;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.Properties;

/**
 * States which build of this library is in use, see {@link UnixTransport#version()}.
 *
 * @param version the version of the artifact
 * @param commit the hash of the Git commit that was built, followed by {@code -dirty} if files differed from it;
 *        {@code unknown} if the library was not built in a Git repository
 * @param buildTime the time of that commit, because builds of the same commit are identical
 */
public record UnixTransportVersion(String version, String commit, Instant buildTime) {
    private static final String UNKNOWN = "unknown";

    static UnixTransportVersion load() {
        Properties properties = new Properties();
        try (InputStream in = UnixTransportVersion.class.getResourceAsStream("version.properties")) {
            // Only the build with Maven writes it.
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new UnixTransportVersion(properties.getProperty("version", UNKNOWN),
                properties.getProperty("commit", UNKNOWN),
                Instant.parse(properties.getProperty("buildTime", Instant.EPOCH.toString())));
    }
}
