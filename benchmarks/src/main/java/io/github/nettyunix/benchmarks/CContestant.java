package io.github.nettyunix.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Raw C: non-blocking sockets and epoll, one thread a side; with {@code batch} many messages in one system call. */
final class CContestant implements Contestant {
    private static final Path PROGRAM = Path.of(System.getProperty("benchmarks.peer", "benchmarks/target/peer"));

    private final boolean batch;

    CContestant(boolean batch) {
        this.batch = batch;
    }

    @Override
    public String id() {
        return batch ? "c-mmsg" : "c";
    }

    @Override
    public String title() {
        return batch ? "raw C, batched" : "raw C";
    }

    @Override
    public String unavailable() {
        return Files.isExecutable(PROGRAM) ? null : "there is no " + PROGRAM;
    }

    @Override
    public boolean supports(Workload workload) {
        return !batch && workload.operation() != Operation.FILE || workload.operation() == Operation.DESCRIPTORS
                || workload.operation() == Operation.ONE_WAY && workload.measure() == Workload.Measure.RATE;
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
