package io.github.nettyunix.internal.metrics;

/** What is counted; {@code UnixMetrics} describes it. */
public enum Counter {
    MESSAGES_RECEIVED,
    MESSAGES_SENT,
    BYTES_RECEIVED,
    BYTES_SENT,
    DESCRIPTORS_RECEIVED,
    DESCRIPTORS_SENT,
    DESCRIPTORS_REFUSED,
    DESCRIPTORS_UNCLAIMED,
    TRUNCATED_MESSAGES,
    TRUNCATED_CONTROL_DATA,
    DROPPED_MESSAGES,
    WRITE_WAITS,
    WRITE_RETRIES,
    READ_RETRIES,
    ACCEPTED_CONNECTIONS,
    ACCEPT_ERRORS,
    CONNECT_RETRIES;

    static final int COUNT = values().length;
}
