package io.github.nettyunix.selftest;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixTransport;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Tries everything that depends on the kernel, the C library and the JVM, and prints what works here, what is missing,
 * and what netty-transport-unix does without it. The exit status is 0 unless something fails that should work: what a
 * platform lacks is no failure.
 */
public final class SelfTest {
    private SelfTest() {
    }

    /**
     * Runs the self-test.
     *
     * @param args none
     * @throws Exception if there is no temporary folder for socket files
     */
    public static void main(String[] args) throws Exception {
        if (args.length > 0) {
            System.err.println("Usage: java -jar netty-transport-unix-selftest.jar");
            System.exit(2);
        }
        System.exit(run(new Report(System.out)) ? 0 : 1);
    }

    private static boolean run(Report report) throws Exception {
        String version = SelfTest.class.getPackage().getImplementationVersion();
        report.title("Self-test of netty-transport-unix" + (version == null ? "" : ' ' + version));
        report.table("Machine", Machine.description());
        Throwable cause = UnixTransport.unavailabilityCause();
        if (cause != null) {
            report.table("The transport does not work here", Map.of(cause.getMessage(), ""));
            return false;
        }
        report.table("Limits", Machine.limits());
        Path folder = Files.createTempDirectory("selftest");
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, UnixTransport.newIoHandlerFactory());
        try {
            report.features();
            for (Feature feature : new Features(folder).list()) {
                report.feature(feature, (tried, type) -> run(tried, group, type));
            }
        } finally {
            group.shutdownGracefully();
            delete(folder);
        }
        return report.end();
    }

    private static String run(Feature feature, EventLoopGroup group, SocketType type) throws Exception {
        if (!UnixTransport.supports(type)) {
            throw new UnsupportedOperationException();
        }
        Trial trial = new Trial(group, type);
        try {
            return feature.check().run(trial);
        } finally {
            trial.close();
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
