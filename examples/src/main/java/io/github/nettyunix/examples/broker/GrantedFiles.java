package io.github.nettyunix.examples.broker;

import io.github.nettyunix.UnixFileDescriptor;

import java.io.IOException;

/** The files that a broker can pass on. */
@FunctionalInterface
public interface GrantedFiles {
    /**
     * Opens a file for an authorized client.
     *
     * @param path the requested path
     * @return the file, which is sent to the client
     * @throws IOException if it is not granted or cannot be opened; the client receives the message as the reason
     */
    UnixFileDescriptor open(String path) throws IOException;
}
