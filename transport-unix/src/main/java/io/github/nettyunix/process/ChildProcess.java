package io.github.nettyunix.process;

import io.github.nettyunix.SocketActivation;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.OwnedDescriptors;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.ChildProcesses;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * A program that this process has started with descriptors of its choice. {@link ProcessBuilder}, in contrast, closes
 * all but three descriptors in the child, and none of the three can be a socket.
 * <pre>{@code
 * List<UnixFileDescriptor> pair = UnixFileDescriptor.socketPair(SocketType.STREAM);
 * try (UnixFileDescriptor theirs = pair.get(1)) {
 *     ChildProcess.start(List.of("cat"), null, Map.of(0, theirs, 1, theirs));
 * }
 * Channel channel = UnixTransport.adopt(pair.get(0));
 * }</pre>
 * A daemon thread waits for each child; other children of this process are not affected. A child continues to run when
 * this process ends. Thread-safe.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/posix_spawn.3.html">posix_spawn(3)</a>
 */
public final class ChildProcess {
    private static final int SIGKILL = 9;
    private static final int SIGTERM = 15;

    private final String program;
    // 0 until the program was started, which it is before anybody else has this object.
    private volatile int pid;
    private final CompletableFuture<Integer> exit = new CompletableFuture<>();
    private boolean ended;

    private ChildProcess(String program) {
        this.program = program;
    }

    /**
     * Starts a program. The program inherits no blocked or ignored signals, whatever this process does with them, and
     * runs in the same directory. The call takes as long as the system needs to load the program.
     *
     * <p>Do not call this on an event loop while the process holds descriptors from an untrusted peer, whether or not
     * they are passed on: the child begins with copies of all descriptors and closes them before it runs the program,
     * and this thread waits for that. Closing a file of a FUSE server that does not respond blocks for as long as the
     * server likes. In that case, call this method on another thread.
     *
     * @param command the program, which is searched for on this process's PATH if its name contains no slash, and its
     *        arguments
     * @param environment all of the child's environment variables; {@code null} for the current ones of this process,
     *        from which {@link SocketActivation#sockets()} removes its own, unlike from {@link System#getenv()}
     * @param descriptors the child's descriptors by their numbers in the child. The caller keeps their ownership and
     *        may close them once this method returns. One descriptor may have several numbers. The child inherits
     *        standard input, output and error unless they are given here; all other descriptors are closed in it,
     *        whether or not they are close-on-exec. The child shares the state of the open files: the offset of a file,
     *        and the non-blocking mode of the sockets of channels, see {@link UnixFileDescriptor#setBlocking}
     * @return the process
     * @throws java.io.FileNotFoundException if there is no such program
     * @throws IOException if it cannot be started, or a descriptor is closed; the exception implements
     *         {@link UnixSocketError}
     * @throws IllegalArgumentException if the command is empty, a number is negative, or a string contains a NUL
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static ChildProcess start(List<String> command, Map<String, String> environment,
            Map<Integer, ? extends FileDescriptor> descriptors) throws IOException {
        return start(command, environment, descriptors, task -> new Thread(null, task, "start " + command, 0, false));
    }

    static ChildProcess start(List<String> command, Map<String, String> environment,
            Map<Integer, ? extends FileDescriptor> descriptors, Function<Runnable, Thread> newThread)
            throws IOException {
        NativeTransport.ensureAvailability();
        if (command.isEmpty()) {
            throw new IllegalArgumentException("the command is empty");
        }
        command.forEach(ChildProcess::checkString);
        String program = command.get(0);
        List<String> variables = environment == null ? null
                : environment.entrySet().stream().map(ChildProcess::variable).toList();
        SortedMap<Integer, FileDescriptor> ascending = new TreeMap<>(descriptors);
        if (!ascending.isEmpty() && ascending.firstKey() < 0) {
            throw new IllegalArgumentException("descriptor " + ascending.firstKey());
        }
        List<UnixFileDescriptor> sources = new ArrayList<>(ascending.size());
        try {
            for (Map.Entry<Integer, FileDescriptor> entry : ascending.entrySet()) {
                sources.add(moveUp(program, entry.getKey(), entry.getValue(), ascending.lastKey() + 1));
            }
            ChildProcess process = new ChildProcess(program);
            // If there can be no thread to wait for the child, there must be no child.
            Thread thread = newThread.apply(process::await);
            thread.setDaemon(true);
            thread.start();
            int pid = -Errno.EINVAL;
            try {
                pid = ChildProcesses.spawn(command, variables,
                        sources.stream().mapToInt(FileDescriptor::intValue).toArray(),
                        ascending.keySet().stream().mapToInt(Integer::intValue).toArray());
            } finally {
                process.started(pid);
            }
            if (pid < 0) {
                throw SocketErrors.newException(Operation.START, program, pid, null);
            }
            return process;
        } finally {
            sources.forEach(UnixFileDescriptor::release);
        }
    }

    private synchronized void started(int result) {
        pid = result;
        notifyAll();
    }

    /** Waits until the program was started, or could not be; then the number is negative. */
    private synchronized int awaitStart() {
        while (pid == 0) {
            try {
                wait();
            } catch (InterruptedException ignored) {
                // Nobody else has the thread.
            }
        }
        return pid;
    }

    /** A duplicate above all numbers of the child, so that none is overwritten before it is in its place. */
    private static UnixFileDescriptor moveUp(String program, int number, FileDescriptor fd, int least)
            throws IOException {
        int result = OwnedDescriptors.duplicate(fd, Math.max(least, 3));
        if (result < 0) {
            throw SocketErrors.newException(Operation.START, program, result,
                    "descriptor " + number + " of the child");
        }
        // A peer may have sent the original, and the last close of a file may block.
        return OwnedDescriptors.adopt(result, true);
    }

    private static String variable(Map.Entry<String, String> variable) {
        if (variable.getKey().isEmpty() || variable.getKey().indexOf('=') >= 0) {
            throw new IllegalArgumentException("a variable named \"" + variable.getKey() + '"');
        }
        return checkString(variable.getKey() + '=' + variable.getValue());
    }

    private static String checkString(String string) {
        if (string.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a NUL in \"" + string + '"');
        }
        return string;
    }

    private void await() {
        if (awaitStart() < 0) {
            return;
        }
        Thread.currentThread().setName(toString());
        ChildProcesses.awaitEnd(pid);
        int status;
        synchronized (this) {
            // From now on the pid may be somebody else's.
            ended = true;
            status = ChildProcesses.reap(pid);
        }
        if (status < 0) {
            exit.completeExceptionally(SocketErrors.newException(Operation.WAIT, "for " + this, status, null));
        } else {
            exit.complete(status);
        }
    }

    /**
     * Returns the number of the process.
     *
     * @return the pid
     */
    public int pid() {
        return pid;
    }

    /**
     * Returns a future for the end of the process.
     *
     * @return a future that completes with the exit status or, if a signal killed the process, with 128 plus the number
     *         of the signal, on the thread that waits for the process; it fails if the system does not report the
     *         status, because other code in this process has waited for all children or ignores SIGCHLD
     */
    public CompletableFuture<Integer> onExit() {
        return exit.copy();
    }

    /**
     * Sends a signal to the process.
     *
     * @param number the number of the signal, which depends on the platform, see
     *        <a href="https://man7.org/linux/man-pages/man7/signal.7.html">signal(7)</a>
     * @return false if the process has already ended
     * @throws IOException if there is no such signal, or this process may not send it
     */
    public boolean signal(int number) throws IOException {
        synchronized (this) {
            if (ended) {
                return false;
            }
            int result = ChildProcesses.signal(pid, number);
            if (result < 0) {
                throw SocketErrors.newException(Operation.SIGNAL, number + " for " + this, result, null);
            }
            return true;
        }
    }

    /**
     * Asks the process to end, with SIGTERM.
     *
     * @return false if it has already ended
     * @throws IOException if this process may not send the signal
     */
    public boolean destroy() throws IOException {
        return signal(SIGTERM);
    }

    /**
     * Kills the process, with SIGKILL.
     *
     * @return false if it has already ended
     * @throws IOException if this process may not send the signal
     */
    public boolean destroyForcibly() throws IOException {
        return signal(SIGKILL);
    }

    @Override
    public String toString() {
        return program + " (process " + pid + ')';
    }
}
