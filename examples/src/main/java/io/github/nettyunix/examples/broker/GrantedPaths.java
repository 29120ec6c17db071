package io.github.nettyunix.examples.broker;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixFileDescriptor.Type;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Regular files: some, and all those below some folders. Each request opens its file anew, for reading, so that nobody shares an
 * offset with anybody.
 *
 * <p>A path leads through symbolic links and {@code ..}, so it is resolved first, and what it leads to has to be granted. Who may
 * write in a granted folder could put a link there between that look and the opening, so what was opened is asked where it is.
 * Linux tells this. Elsewhere that race remains, and on Linux one that gives nothing away: whoever puts a FIFO there in that
 * moment makes the broker wait for its writer. Grant folders that only trusted users may write in.
 */
final class GrantedPaths implements GrantedFiles {
    private static final Path OPEN_FILES = Path.of("/proc/self/fd");

    private final List<Path> granted = new ArrayList<>();

    /** Fails if one of them does not exist. */
    GrantedPaths(List<Path> filesAndFolders) throws IOException {
        for (Path path : filesAndFolders) {
            if (!Files.exists(path)) {
                throw new IOException(path + ": there is no such file or folder to grant");
            }
            granted.add(path.toRealPath());
        }
    }

    @Override
    public UnixFileDescriptor open(String path) throws IOException {
        Path file = resolve(path);
        UnixFileDescriptor opened = UnixFileDescriptor.open(file);
        try {
            if (opened.type() != Type.REGULAR_FILE || Files.exists(OPEN_FILES)
                    && !Files.readSymbolicLink(OPEN_FILES.resolve("" + opened.intValue())).equals(file)) {
                throw new IOException(path + ": it was exchanged while it was opened");
            }
            return opened;
        } catch (IOException e) {
            opened.release();
            throw e;
        }
    }

    /** Where a path leads, if that is granted. What is not there is no other answer: nobody is told which files exist. */
    private Path resolve(String path) throws IOException {
        try {
            Path asked = Path.of(path);
            Path file = asked.isAbsolute() ? asked.toRealPath() : asked;
            // Opening a FIFO would wait for its writer, and opening a device can do anything.
            if (granted.stream().anyMatch(file::startsWith) && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                return file;
            }
        } catch (IOException | InvalidPathException e) {
            // It is not granted either.
        }
        throw new IOException(path + ": no such file is granted");
    }
}
