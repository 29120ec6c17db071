package io.github.nettyunix.internal.readiness;

import java.util.ArrayList;
import java.util.List;

/** The sockets that a spinning event loop polls, because their interest is READ. */
public final class BusyReaders {
    /** A socket that can be polled. */
    abstract static class Reader {
        // The index among the readers; -1 if it is not one of them.
        private int position = -1;

        /** Reads, whether or not there is something to read; returns whether there was. */
        abstract boolean poll();

        /** The loop is about to sleep: returns whether it can. */
        abstract boolean canSleep();

        /** Whether it is among the readers. */
        final boolean isPolled() {
            return position >= 0;
        }
    }

    private final List<Reader> readers = new ArrayList<>();

    /** The loop is about to sleep: returns whether it can, as far as these are concerned. */
    boolean canSleep() {
        boolean can = true;
        for (int i = readers.size() - 1; i >= 0; i--) {
            // What one of them does may end others.
            can &= i >= readers.size() || readers.get(i).canSleep();
        }
        return can;
    }

    int size() {
        return readers.size();
    }

    Reader get(int index) {
        return readers.get(index);
    }

    void add(Reader reader) {
        reader.position = readers.size();
        readers.add(reader);
    }

    void remove(Reader reader) {
        Reader last = readers.remove(readers.size() - 1);
        if (last != reader) {
            readers.set(reader.position, last);
            last.position = reader.position;
        }
        reader.position = -1;
    }
}
