package io.github.nettyunix.examples.clamd;

import java.nio.file.Path;

/**
 * Prints the results as clamdscan does, and counts them. Prints the progress if nothing has been printed for a while.
 */
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

    /** Prints the progress if it is time to; must be called regularly. */
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
