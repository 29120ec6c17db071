package io.github.nettyunix.faults;

/** What the library does about a system call that fails. {@link Outcome} recognizes it. */
enum Reaction {
    GOES_ON("goes on", "repeats the call at once, does without it, or does the same in another way; nobody notices"),
    WAITS("waits", "tries again when the socket is ready, or after a delay, until the call works; nothing is lost"),
    FAILS_WRITE("fails the write", "the promise of that write fails; the channel stays open, and other writes succeed"),
    ENDS_CONNECTION("ends the connection", "the promises of that write and of all later ones fail; what the peer "
            + "has sent is delivered, and the channel closes"),
    REPORTS("reports", "`exceptionCaught`, once however often it fails; tries again, with a delay that grows"),
    CLOSES("closes", "`exceptionCaught`, and the channel closes"),
    REPORTS_AT_END("reports at the end", "delivers what is still there; `exceptionCaught` comes with the end of the "
            + "stream"),
    DROPS_CONNECTION("drops the connection", "closes the connection that was being accepted; others are accepted"),
    LEAVES_FILE("leaves the file", "goes on or closes without a failure, but cannot remove a socket file; the next "
            + "server replaces it"),
    FAILS_AND_LEAVES_FILE("fails, leaves the file", "the operation fails, the channel closes, and a socket file stays "
            + "that the next server replaces"),
    FAILS("fails", "the promise fails or the method throws, and the operation can be repeated"),
    FAILS_AND_CLOSES("fails and closes", "the promise fails, and the channel is closed"),
    UNSUPPORTED("is unsupported", "throws `UnsupportedOperationException`");

    private final String text;
    private final String meaning;

    Reaction(String text, String meaning) {
        this.text = text;
        this.meaning = meaning;
    }

    /** A sentence about it, without its subject. */
    String meaning() {
        return meaning;
    }

    @Override
    public String toString() {
        return text;
    }
}
