package io.github.nettyunix.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Raw C: non-blocking sockets and epoll, one thread per side.
 *
 * @param batch whether one system call carries many messages
 */
record CSystem(String id, String title, boolean batch) implements BenchmarkedSystem {
    private static final Path PROGRAM = Path.of(System.getProperty("benchmarks.peer", "benchmarks/target/peer"));

    @Override
    public String unavailable() {
        return Files.isExecutable(PROGRAM) ? null : "there is no " + PROGRAM;
    }

    @Override
    public boolean supports(Workload workload) {
        return workload.type() != Type.MEMORY && switch (workload.operation()) {
            case FILE, IN_PLACE -> false;
            case DESCRIPTORS -> true;
            case ONE_WAY -> !batch || workload.measure() == Workload.Measure.RATE;
            case ECHO, CONNECT, SHARED -> !batch;
        };
    }

    @Override
    public List<String> command(String side, Settings settings) {
        List<String> command = new ArrayList<>(List.of(PROGRAM.toString(), batch ? "batch" : "plain", side));
        command.addAll(settings.toArguments());
        return command;
    }

    @Override
    public Role role() {
        return Role.C;
    }
}
