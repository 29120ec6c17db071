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
 * Grants regular files: individual ones, and all files below certain folders. Every request opens its file anew, for
 * reading, so that no two clients share a file offset.
 *
 * <p>A path may contain symbolic links and {@code ..}, so it is resolved first, and the result must be granted. A user
 * who can write to a granted folder could create a link there between this check and the opening. The location of the
 * opened file is therefore checked again, which is possible on Linux. On other platforms that race remains. On Linux
 * another race remains, which reveals nothing: a user who creates a FIFO at that moment makes the broker wait for its
 * writer. Grant only folders that no untrusted user can write to.
 */
final class GrantedPaths implements GrantedFiles {
    private static final Path OPEN_FILES = Path.of("/proc/self/fd");

    private final List<Path> granted = new ArrayList<>();

    /** Creates the grants; fails if one of the files or folders does not exist. */
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

    /**
     * Resolves a path and checks that it is granted. A missing file is refused in the same way, so that clients cannot
     * find out which files exist.
     */
    private Path resolve(String path) throws IOException {
        try {
            Path asked = Path.of(path);
            Path file = asked.isAbsolute() ? asked.toRealPath() : asked;
            // Opening a FIFO would wait for its writer, and opening a device can do anything.
            if (granted.stream().anyMatch(file::startsWith) && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                return file;
            }
        } catch (IOException | InvalidPathException e) {
            // A file that does not exist is not granted either.
        }
        throw new IOException(path + ": no such file is granted");
    }
}
