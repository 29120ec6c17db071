package io.github.nettyunix.examples.clamd;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.examples.Running;
import io.netty.bootstrap.Bootstrap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** {@code clamd}: has files scanned by a daemon that may not open them. */
@Command(name = "clamd",
        description = "Has files scanned by ClamAV's daemon. The daemon receives open descriptors, so that it needs no "
                + "permission to open the files.",
        footer = {"", "Prints 'FILE: OK', 'FILE: NAME FOUND' or 'FILE: MESSAGE ERROR' for each file.",
                "Exit status: 0 nothing found, 1 something found or an error, 2 bad usage."})
public final class ClamdCommand implements Callable<Integer> {
    /** Fewer than clamd's MaxQueue, which is 100. */
    private static final int MAX_WAITING = 50;
    private static final int PROGRESS_SECONDS = 2;

    @Option(names = "--socket", paramLabel = "SOCKET", defaultValue = "/run/clamav/clamd.ctl",
            description = "the daemon's socket: a path, or @NAME; default: ${DEFAULT-VALUE}")
    private UnixSocketAddress address;

    @Parameters(arity = "1..*", paramLabel = "FILE",
            description = "a file, or a folder, for all regular files in and below it")
    private List<Path> paths;

    private final ClamdSession session = new ClamdSession();
    private final Semaphore free = new Semaphore(MAX_WAITING);
    private final Results results = new Results();

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            new Bootstrap().group(running.group()).channel(UnixStreamChannel.class).handler(session).connect(address)
                    .sync();
            running.group().scheduleAtFixedRate(results::tellProgress, PROGRESS_SECONDS, PROGRESS_SECONDS,
                    TimeUnit.SECONDS);
            for (Path path : paths) {
                scanAll(path);
            }
            free.acquire(MAX_WAITING);
            session.end();
        }
        System.err.println(results);
        return results.isClean() ? 0 : 1;
    }

    private void scanAll(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            // Links given as arguments are followed, links inside folders are not.
            Files.walkFileTree(Files.isSymbolicLink(path) ? path.toRealPath() : path, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    if (attributes.isRegularFile()) {
                        scan(file);
                    }
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                    // Opening it fails too, with the reason.
                    scan(file);
                    return FileVisitResult.CONTINUE;
                }
            });
        } else if (Files.exists(path) && !Files.isRegularFile(path)) {
            // Opening a FIFO would wait for its writer.
            results.addError(path, new IOException("not a regular file"));
        } else {
            scan(path);
        }
    }

    private void scan(Path file) throws IOException {
        free.acquireUninterruptibly();
        if (!session.isOpen()) {
            throw new IOException("the connection to clamd is closed; " + results);
        }
        try {
            session.scan(UnixFileDescriptor.open(file)).addListener(answer -> {
                if (answer.isSuccess()) {
                    results.add(file, (String) answer.getNow());
                } else {
                    results.addError(file, answer.cause());
                }
                free.release();
            });
        } catch (IOException e) {
            results.addError(file, e);
            free.release();
        }
    }
}
