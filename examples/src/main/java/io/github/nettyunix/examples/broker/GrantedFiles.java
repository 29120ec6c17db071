package io.github.nettyunix.examples.broker;

import io.github.nettyunix.UnixFileDescriptor;

import java.io.IOException;

/** What a broker has to give. */
@FunctionalInterface
public interface GrantedFiles {
    /**
     * Opens a file for somebody who may ask.
     *
     * @param path what was asked for
     * @return the file, which goes to the one who asked
     * @throws IOException if it is not granted, or cannot be opened; the message is the reason that is told
     */
    UnixFileDescriptor open(String path) throws IOException;
}
