package io.github.nettyunix.benchmarks.peer;

/** The client's side of a workload; its connections are made. */
public interface Client {
    /** Works for a time, and answers when all of it has left. */
    Outcome run(long nanos) throws Exception;

    /**
     * What a client did.
     *
     * @param latencies of round trips in nanoseconds, unordered; {@code null} if that is not asked for
     */
    record Outcome(long messages, long nanos, long errors, int[] latencies) {
        public Outcome(long messages, long nanos, long errors) {
            this(messages, nanos, errors, null);
        }
    }
}
