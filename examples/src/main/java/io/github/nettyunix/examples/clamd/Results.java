package io.github.nettyunix.examples.clamd;

import java.nio.file.Path;

/** Prints what was found, as clamdscan does, and counts. When nothing was printed for a while, it tells how far it is. */
final class Results {
    private int ok;
    private int found;
    private int errors;
    private int told;

    synchronized void add(Path file, String answer) {
        System.out.println(file + ": " + answer);
        if (answer.equals("OK")) {
            ok++;
        } else if (answer.endsWith(" FOUND")) {
            found++;
        } else {
            errors++;
        }
    }

    void addError(Path file, Throwable cause) {
        add(file, cause.getMessage() + " ERROR");
    }

    /** To be called now and then. */
    synchronized void tellProgress() {
        if (told == ok + found + errors) {
            System.err.println("still scanning, so far " + this);
        }
        told = ok + found + errors;
    }

    synchronized boolean isClean() {
        return found + errors == 0;
    }

    @Override
    public synchronized String toString() {
        return ok + " OK, " + found + " FOUND, " + errors + " ERROR";
    }
}
