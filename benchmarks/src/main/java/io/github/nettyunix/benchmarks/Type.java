package io.github.nettyunix.benchmarks;

import java.util.Locale;

/** What carries the messages. */
public enum Type {
    /** A stream socket. Messages have a header with their length. */
    STREAM,
    /** A seqpacket socket. */
    SEQPACKET,
    /** A datagram socket. */
    DATAGRAM,
    /** Memory that both processes share. */
    MEMORY;

    /** Its name on command lines. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
