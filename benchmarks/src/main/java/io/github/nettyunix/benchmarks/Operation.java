package io.github.nettyunix.benchmarks;

/** What client and server do. */
public enum Operation {
    /** The client sends as fast as the server reads. */
    ONE_WAY("one-way"),
    /** The server sends back what it gets; the client has one message on its way on each connection. */
    ECHO("echo"),
    /** One after the other the client connects, sends a byte and closes; the server hangs up when it has the byte. */
    CONNECT("connect"),
    /** The client sends descriptors with every message; the server closes them. */
    DESCRIPTORS("descriptors"),
    /** The client copies each message into one of two memfds in turn, and passes the memfd; the server has both mapped. */
    SHARED("shared"),
    /** As ONE_WAY, but all of a message except its header is in a file. */
    FILE("file");

    private final String name;

    Operation(String name) {
        this.name = name;
    }

    /** As it is called on command lines. */
    @Override
    public String toString() {
        return name;
    }

    public static Operation of(String name) {
        for (Operation operation : values()) {
            if (operation.name.equals(name)) {
                return operation;
            }
        }
        throw new IllegalArgumentException("operation: " + name);
    }

    /** Whether the server counts; else only the client can. */
    public boolean isCountedByServer() {
        return this != ECHO;
    }
}
