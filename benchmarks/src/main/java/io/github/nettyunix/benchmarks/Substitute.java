package io.github.nettyunix.benchmarks;

import io.github.nettyunix.benchmarks.peer.JavaSystem;

import java.util.List;

/**
 * A system that uses a socket in workloads of shared memory, to be compared with it.
 *
 * @param type the type of the socket
 */
record Substitute(String id, String title, BenchmarkedSystem system, Type type) implements BenchmarkedSystem {
    static final List<Substitute> ALL = List.of(
            new Substitute("unix-stream", "netty-transport-unix, stream", JavaSystem.of("unix"), Type.STREAM),
            new Substitute("unix-seqpacket", "netty-transport-unix, seqpacket", JavaSystem.of("unix"), Type.SEQPACKET),
            new Substitute("netty-epoll-stream", "Netty epoll, stream", JavaSystem.of("netty-epoll"), Type.STREAM));

    @Override
    public String unavailable() {
        return system.unavailable();
    }

    @Override
    public boolean supports(Workload workload) {
        return workload.type() == Type.MEMORY && system.supports(workload.withType(type));
    }

    @Override
    public List<String> command(String side, Settings settings) {
        return system.command(side, settings.withType(type));
    }

    @Override
    public Role role() {
        return system.role();
    }
}
