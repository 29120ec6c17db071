package io.github.nettyunix.process;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Programs that get more descriptors than the first three, or sockets as the first three. */
@Tag("library")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class ChildProcessTest {
    private static final int SIGKILL = 9;
    private static final int SIGTERM = 15;

    @TempDir
    private Path folder;

    private static int status(ChildProcess child) throws Exception {
        return child.onExit().get(20, TimeUnit.SECONDS);
    }

    private static List<String> python(String script, String... arguments) {
        return Stream.concat(Stream.of("python3", "-c", "import os, signal, sys; signal.alarm(50)\n" + script),
                Stream.of(arguments)).toList();
    }

    /** Returns what a program prints that has only these descriptors, its output among them. */
    private String output(List<String> command, Map<String, String> environment,
            Map<Integer, FileDescriptor> descriptors)
            throws Exception {
        Path file = folder.resolve("output");
        Map<Integer, FileDescriptor> all = new HashMap<>(descriptors);
        try (UnixFileDescriptor out = UnixFileDescriptor.open(file, WRITE, CREATE, TRUNCATE_EXISTING)) {
            all.put(1, out);
            assertEquals(0, status(ChildProcess.start(command, environment, all)));
        }
        return Files.readString(file);
    }

    @Test
    void descriptorsThatHaveArrivedAreHandedOnByNumber() throws Exception {
        try (ChannelPair pair = ChannelPair.of(SocketType.STREAM).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start()) {
            pair.sender.writeAndFlush(new UnixMessage(Content.of("two"), Content.labelled("six"),
                    Content.labelled("seven")));
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            List<UnixFileDescriptor> fds = message.fileDescriptors();
            assertEquals("six seven\n", output(python("print(os.read(6, 9).decode(), os.read(7, 9).decode())"), null,
                    Map.of(6, fds.get(0), 7, fds.get(1))));
            // They are still close-on-exec here.
            assertTrue(Content.isCloseOnExec(fds.get(0)));
            message.release();
        }
        Evidence.of("CPython", "descriptors that have arrived are handed on to a child");
    }

    @Test
    void numbersMayOverlap() throws Exception {
        UnixFileDescriptor[] fds = {Content.labelled("a"), Content.labelled("b"), Content.labelled("c")};
        int[] used = Arrays.stream(fds).mapToInt(FileDescriptor::intValue).toArray();
        // Two swap places and one stays where it is; it gets a second number too.
        assertEquals("bacc\n", contents(Map.of(used[0], fds[1], used[1], fds[0], used[2], fds[2]), fds[2], used));
        // The child is to get a number that is free here and may be needed temporarily.
        UnixFileDescriptor[] some = Descriptors.some(16);
        int[] free = Arrays.stream(some, 8, 16).mapToInt(FileDescriptor::intValue).toArray();
        for (UnixFileDescriptor fd : some) {
            fd.release();
        }
        Map<Integer, FileDescriptor> map = new HashMap<>();
        for (int i = 0; i < free.length; i++) {
            map.put(free[i], fds[i % 2]);
        }
        assertEquals("ababababc\n", contents(map, fds[2], free));
        for (UnixFileDescriptor fd : fds) {
            fd.release();
        }
    }

    /** Returns what a child finds under these numbers, followed by its standard input. */
    private String contents(Map<Integer, FileDescriptor> descriptors, FileDescriptor input, int... numbers)
            throws Exception {
        Map<Integer, FileDescriptor> all = new HashMap<>(descriptors);
        all.put(0, input);
        return output(python("print(*(os.pread(int(fd), 9, 0).decode() for fd in sys.argv[1:] + [0]), sep='')",
                Arrays.stream(numbers).mapToObj(Integer::toString).toArray(String[]::new)), null, all);
    }

    @Test
    void nothingElseIsOpenInTheChild() throws Exception {
        String list =
                "print(*sorted(int(fd) for fd in os.listdir('/proc/self/fd') if "
                + "os.path.exists(f'/proc/self/fd/{fd}')))";
        FileDescriptor inheritable = FileDescriptor.from("/dev/null");
        assertFalse(Content.isCloseOnExec(inheritable));
        assertEquals("0 1 2\n", output(python(list), null, Map.of()));
        assertEquals("0 1 2 3\n", output(python(list), null, Map.of(3, inheritable)));
        assertEquals("0 1 2 5 1000\n", output(python(list), null, Map.of(5, inheritable, 1000, inheritable)));
        inheritable.close();
        Evidence.of("CPython", "a child has the descriptors that it was given and no other");
    }

    @EachType
    void standardInputAndOutputCanBeASocket(SocketType type) throws Exception {
        List<UnixFileDescriptor> pair = UnixFileDescriptor.socketPair(type);
        RecordingHandler inbox = new RecordingHandler();
        Channel channel = Channels.register(UnixTransport.adopt(pair.get(0)), inbox);
        ChildProcess child = ChildProcess.start(python("os.write(1, os.read(0, 100).upper())"), null,
                Map.of(0, pair.get(1), 1, pair.get(1)));
        pair.get(1).release();
        channel.writeAndFlush(Content.of("hello"));
        assertEquals("HELLO", Content.text(Content.take(inbox.take())));
        assertEquals(0, status(child));
        if (type != SocketType.DATAGRAM) {
            assertEquals(RecordingHandler.INACTIVE, inbox.take());
        }
        channel.close().sync();
        Evidence.of("CPython", "a socket is a child's standard input and output, " + type);
    }

    /** What inetd does, with a connection that a channel has accepted. */
    @Test
    void theSocketOfAChannelCanBeMadeToBlockForAChild() throws Exception {
        List<? extends Channel> pair = Channels.pair(SocketType.STREAM);
        Channel ours = Channels.register(pair.get(0), new RecordingHandler());
        Channel theirs = pair.get(1);
        theirs.config().setAutoRead(false);
        Channels.register(theirs);
        String script = "print(os.get_blocking(0), file=sys.stderr); os.write(2, os.read(0, 9))";
        Path file = folder.resolve("errors");
        ChildProcess child;
        try (UnixFileDescriptor socket = UnixFileDescriptor.dup(((UnixChannel) theirs).fd());
             UnixFileDescriptor errors = UnixFileDescriptor.open(file, WRITE, CREATE)) {
            socket.setBlocking(true);
            child = ChildProcess.start(python(script), null, Map.of(0, socket, 2, errors));
        }
        theirs.close().sync();
        ours.writeAndFlush(Content.of("hello"));
        assertEquals(0, status(child));
        assertEquals("True\nhello", Files.readString(file));
        ours.close().sync();
    }

    @Test
    void theEnvironmentIsWhatItIsSaidToBe() throws Exception {
        assertEquals("A=1\nB=\u00e9 =\n", output(List.of("/usr/bin/env"),
                new TreeMap<>(Map.of("A", "1", "B", "\u00e9 =")), Map.of()));
        assertEquals("", output(List.of("/usr/bin/env"), Map.of(), Map.of()));
        // The program was found on the PATH, and gets the PATH.
        assertEquals(System.getenv("PATH") + '\n', output(List.of("printenv", "PATH"), null, Map.of()));
        for (String name : List.of("", "A=B", "A\0")) {
            assertThrows(IllegalArgumentException.class, () ->
                    ChildProcess.start(List.of("env"), Map.of(name, "1"), Map.of()));
        }
    }

    @Test
    void signalsAreAsAProgramExpectsThem() throws Exception {
        // In a thread of the JVM SIGQUIT is blocked. Newer glibc ignores 32 and 33, which it keeps for itself.
        assertEquals("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n",
                output(List.of("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"), null, Map.of())
                        .replace("180000000", "000000000"));
    }

    @Test
    void theExitStatusIsReportedAndNoZombieIsLeft() throws Exception {
        // A child that the JVM itself has started, which ends meanwhile, is left to the JVM.
        Process other = new ProcessBuilder(python("sys.exit(4)")).start();
        ChildProcess exits = ChildProcess.start(python("sys.exit(3)"), null, Map.of());
        ChildProcess asked = ChildProcess.start(List.of("sleep", "50"), null, Map.of());
        ChildProcess killed = ChildProcess.start(List.of("sleep", "50"), null, Map.of());
        assertTrue(ProcessHandle.of(asked.pid()).orElseThrow().parent().orElseThrow().pid() == ProcessHandle.current()
                .pid());
        assertEquals(3, status(exits));
        assertFalse(asked.onExit().isDone());
        assertTrue(asked.destroy());
        assertEquals(128 + SIGTERM, status(asked));
        assertTrue(killed.destroyForcibly());
        assertEquals(128 + SIGKILL, status(killed));
        for (ChildProcess child : List.of(exits, asked, killed)) {
            assertFalse(Files.exists(Path.of("/proc/" + child.pid())));
            assertFalse(child.destroy(), "a signal for whoever has the pid now");
        }
        assertEquals(4, other.waitFor());
        Evidence.of("CPython", "the end of a child is reported, and no zombie is left");
    }

    @Test
    void signalThatDoesNotExistIsRefused() throws Exception {
        ChildProcess child = ChildProcess.start(List.of("sleep", "50"), null, Map.of());
        IOException refused = assertThrows(IOException.class, () -> child.signal(1000));
        assertEquals("signal 1000 for sleep (process " + child.pid() + "): EINVAL (Invalid argument)",
                refused.getMessage());
        // A thread that waits does not prevent others from waiting.
        assertTrue(child.onExit().cancel(false));
        assertTrue(child.destroyForcibly());
        assertEquals(128 + SIGKILL, status(child));
    }

    @Test
    void whatCannotBeStartedIsNamed() throws Exception {
        IOException missing = assertThrows(FileNotFoundException.class,
                () -> ChildProcess.start(List.of("/no/such/program", "x"), null, Map.of()));
        assertEquals("start /no/such/program: ENOENT (No such file or directory)", missing.getMessage());
        assertEquals("ENOENT", assertInstanceOf(UnixSocketError.class, missing).errnoName());
        IOException notExecutable = assertThrows(IOException.class,
                () -> ChildProcess.start(List.of("/etc/passwd"), null, Map.of()));
        assertEquals("start /etc/passwd: EACCES (Permission denied)", notExecutable.getMessage());
        UnixFileDescriptor closed = Content.labelled("closed");
        closed.close();
        IOException bad = assertThrows(IOException.class, () ->
                ChildProcess.start(List.of("true"), null, Map.of(7, closed)));
        assertEquals("start true: EBADF (Bad file descriptor): descriptor 7 of the child", bad.getMessage());
        assertThrows(IllegalArgumentException.class, () -> ChildProcess.start(List.of(), null, Map.of()));
        assertThrows(IllegalArgumentException.class, () -> ChildProcess.start(List.of("true", "\0"), null, Map.of()));
        assertThrows(IllegalArgumentException.class, () -> ChildProcess.start(List.of("true"), null,
                Map.of(-1, closed)));
    }

    @Test
    void childThatNobodyCouldWaitForIsNotStarted() throws Exception {
        Path file = folder.resolve("started");
        assertThrows(OutOfMemoryError.class, () -> ChildProcesses.start(List.of("touch", file.toString()), Map.of(),
                task -> new Thread(task) {
                    @Override
                    public void start() {
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                }));
        // A second one, started after the first has ended: the first one's result would be there by now.
        assertEquals(0, status(ChildProcess.start(List.of("true"), null, Map.of())));
        assertFalse(Files.exists(file));
        assertFalse(ProcessHandle.current().children()
                .anyMatch(child -> child.info().command().orElse("").endsWith("touch")));
    }

    @Test
    void childOfAProcessWhoseStandardInputWasAdoptedHasOne() throws Exception {
        // In a process of its own: this one's standard input belongs to the test's runner.
        UnixFileDescriptor[] pair = UnixFileDescriptor.socketPair(SocketType.STREAM).toArray(new UnixFileDescriptor[0]);
        Path file = folder.resolve("output");
        try (UnixFileDescriptor out = UnixFileDescriptor.open(file, WRITE, CREATE, TRUNCATE_EXISTING)) {
            ChildProcess child = ChildProcess.start(List.of(Jvm.JAVA, "-cp", System.getProperty("java.class.path"),
                    AdoptingProgram.class.getName()), null, Map.of(0, pair[0], 1, out));
            assertEquals(0, status(child));
        }
        for (UnixFileDescriptor end : pair) {
            end.release();
        }
        assertEquals("/dev/null\n", Files.readString(file));
    }

    /** Adopts its standard input, and starts a child that prints what it has instead. */
    static final class AdoptingProgram {
        public static void main(String[] arguments) throws Exception {
            UnixTransport.adopt(0);
            System.exit(status(ChildProcess.start(List.of("readlink", "/proc/self/fd/0"), null, Map.of())));
        }
    }
}
