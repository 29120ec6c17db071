package io.github.nettyunix.benchmarks.peer;

/** The server's side of a workload; it serves until the process ends. */
public interface Server {
    /** Called before each round; the client is there then. */
    default void beforeRound() throws Exception {
    }
}
