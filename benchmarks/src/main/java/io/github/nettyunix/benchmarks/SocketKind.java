package io.github.nettyunix.benchmarks;

/** What kind of socket a workload uses. */
public enum SocketKind {
    STREAM, SEQPACKET, DATAGRAM;

    /** As it is called on command lines. */
    @Override
    public String toString() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
