package io.github.nettyunix.fire;

import java.util.Map;
import java.util.TreeMap;

/** What the cases of one run have tried, to be seen in its last line. */
final class Statistics {
    private int cases;
    long sent;
    long received;
    long descriptors;
    long written;
    long returned;
    final Map<String, Integer> failures = new TreeMap<>();
    final Map<String, Integer> exceptions = new TreeMap<>();

    synchronized void add() {
        cases++;
    }

    @Override
    public synchronized String toString() {
        return cases + " cases: " + sent + " messages sent, " + received + " received with " + descriptors
                + " descriptors, " + written + " written back, " + returned + " of them read, exceptions " + exceptions
                + ", failed writes " + failures;
    }
}
