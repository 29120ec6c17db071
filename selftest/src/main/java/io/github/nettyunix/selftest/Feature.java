package io.github.nettyunix.selftest;

import io.github.nettyunix.SocketType;

import java.util.Set;

/**
 * Something that a platform may offer: one row of the table.
 *
 * @param name what it is
 * @param types the types of sockets that it concerns
 * @param check tries it
 * @param otherwise what it needs, and what the library does where it is missing
 */
record Feature(String name, Set<SocketType> types, Check check, String otherwise) {
    /** Tries a feature with one type of sockets. */
    interface Check {
        /**
         * Tries it.
         *
         * @return what the table shows
         * @throws UnsupportedOperationException if the platform lacks it
         * @throws Exception if it does not work
         */
        String run(Trial trial) throws Exception;
    }
}
