package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Contestant;
import io.github.nettyunix.benchmarks.Settings;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A system whose two sides are Java programs. */
public abstract class JavaContestant implements Contestant {
    private final String id;
    private final String title;

    JavaContestant(String id, String title) {
        this.id = id;
        this.title = title;
    }

    public static List<JavaContestant> all() {
        return List.of(new UnixTransportContestant(), new NettyEpollContestant(), new NettyIoUringContestant(),
                new NettyNioContestant(), new NettyTcpContestant(), new JunixsocketContestant(), new JdkContestant());
    }

    abstract Server newServer(Settings settings, Tally tally) throws Exception;

    abstract Client newClient(Settings settings) throws Exception;

    @Override
    public final String id() {
        return id;
    }

    @Override
    public final String title() {
        return title;
    }

    @Override
    public String unavailable() {
        return null;
    }

    @Override
    public Role role() {
        return Role.JAVA_PEER;
    }

    @Override
    public final List<String> command(String side, Settings settings) {
        // The heap is touched beforehand, so that what grows while connections come is not the heap; it never needs its maximum,
        // but at 512 MiB or less Netty's allocator keeps no memory for its threads.
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms256m", "-Xmx640m", "-XX:+UseSerialGC", "-XX:+AlwaysPreTouch", "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED", "-Dio.netty.leakDetection.level=disabled"));
        String more = System.getenv("BENCHMARKS_JAVA_OPTIONS");
        if (more != null) {
            command.addAll(List.of(more.trim().split("\\s+")));
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), PeerProgram.class.getName(), id, side));
        command.addAll(settings.toArguments());
        return command;
    }
}
