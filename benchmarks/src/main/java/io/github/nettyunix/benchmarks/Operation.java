package io.github.nettyunix.benchmarks;

import java.util.Locale;

/** What the client and the server do. */
public enum Operation {
    /** The client sends as fast as the server reads. */
    ONE_WAY,
    /** As ONE_WAY, but the client builds each message in the memory that the server reads, if they share memory. */
    IN_PLACE,
    /** The server sends back what it receives; the client has one message in flight per connection. */
    ECHO,
    /** One after the other, the client connects, sends a byte and closes; the server closes when it has the byte. */
    CONNECT,
    /** The client sends descriptors with every message; the server closes them. */
    DESCRIPTORS,
    /** The client copies each message into one of two memfds and passes that memfd; the server has both mapped. */
    SHARED,
    /** As ONE_WAY, but everything after a message's header is sent from a file. */
    FILE;

    /** Its name on command lines. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
