package io.github.nettyunix.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether tests can make namespaces. */
public final class Namespaces {
    private Namespaces() {
    }

    /** In a chroot the kernel refuses user namespaces, see unshare(2). No mount is at its root, unlike elsewhere. */
    public static boolean isChroot() throws IOException {
        Path mounts = Path.of("/proc/self/mountinfo");
        return Files.exists(mounts)
                && Files.readAllLines(mounts).stream().noneMatch(line -> line.split(" ")[4].equals("/"));
    }
}
