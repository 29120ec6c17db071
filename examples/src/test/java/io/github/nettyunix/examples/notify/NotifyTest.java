package io.github.nettyunix.examples.notify;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;

class NotifyTest {
    /** A service that has two pipe ends stored, then removed, and checks that they are closed. */
    private static final String SERVICE = """
            import os, socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.connect(os.environ['NOTIFY_SOCKET'].replace('@', '\\0'))
            read, write = os.pipe()
            socket.send_fds(s, [b'FDSTORE=1\\nFDNAME=pipes'], [write, write])
            os.close(write)
            input()
            s.send(b'FDSTOREREMOVE=1\\nFDNAME=pipes')
            print('at the end of the pipe:', os.read(read, 1))
            """;
    /** A manager that reads the file that it receives, and completes the barrier. */
    private static final String MANAGER = """
            import os, socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            s.bind(sys.argv[1])
            print('ready')
            data, control, flags, sender = s.recvmsg(1000, 1000)
            for level, type, value in control:
                if type == socket.SCM_RIGHTS:
                    print(data, os.read(int.from_bytes(value, sys.byteorder), 100))
                else:
                    print('pid', int.from_bytes(value[:4], sys.byteorder))
            data, fds, flags, sender = socket.recv_fds(s, 1000, 10)
            print(data, len(fds))
            input()
            os.close(fds[0])
            """;

    @TempDir
    private Path folder;

    private static Program service(String socket, String... command) {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("NOTIFY_SOCKET", socket);
        return Program.start(builder);
    }

    /** Repeats until the barrier completes within systemd-notify's 5 seconds, however busy the machine is. */
    private static void notifyReady(String socket) throws Exception {
        for (int attempts = 5; attempts > 0; attempts--) {
            try (Program notify = service(socket, "systemd-notify", "--ready", "--status=all is well")) {
                if (notify.exitValue() == 0) {
                    return;
                }
                notify.awaitLine("^Failed to invoke barrier: Connection timed out$");
            }
        }
        throw new AssertionError("systemd-notify's barrier is not answered");
    }

    @Test
    void messagesAndBarriersOfSystemdNotifyAreHandled() throws Exception {
        String socket = "@" + folder;
        try (Program listen = Program.example("notify", "listen", socket)) {
            listen.awaitLine("listening on " + socket);
            notifyReady(socket);
            int uid = UnixCredentials.ofThisProcess().uid();
            listen.awaitLine("^process \\d+, user " + uid + ": READY=1 STATUS=all is well$");
            listen.awaitLine("^process \\d+, user " + uid + ": BARRIER=1 \\+PIPE$");
            Evidence.of("systemd-notify", "notify listen, with a barrier");

            try (Program python = service(socket, "python3", "-c", SERVICE)) {
                listen.awaitLine("^process " + python.process().pid() + ", user " + uid
                        + ": FDSTORE=1 FDNAME=pipes \\+PIPE \\+PIPE$");
                listen.awaitLine("^stored: pipes \\(2\\)$");
                python.send("\n").awaitLine("^at the end of the pipe: b''$");
                listen.awaitLine("^stored: nothing$");
            }
            Evidence.of("CPython", "notify listen, storing descriptors");
        }
    }

    @Test
    void sendsAFileAndWaitsForItsBarrier() throws Exception {
        String socket = folder.resolve("notify").toString();
        Path file = Files.writeString(folder.resolve("file"), "what the file says");
        try (Program manager = Program.start("python3", "-uc", MANAGER, socket)) {
            manager.awaitLine("^ready$");
            try (Program send = service(socket, Program.exampleCommand("notify", "send", "--file", file.toString(),
                    "FDSTORE=1", "FDNAME=it").toArray(String[]::new))) {
                manager.awaitLine("^pid " + send.process().pid() + "$");
                manager.awaitLine("^b'FDSTORE=1\\\\nFDNAME=it' b'what the file says'$");
                manager.awaitLine("^b'BARRIER=1' 1$");
                assertEquals(true, send.process().isAlive());
                manager.send("\n");
                assertEquals(0, send.exitValue(), send.output());
            }
        }
        Evidence.of("CPython", "notify send, with a file and a barrier");
    }

    @Test
    void aManagerThatIsMissingOrDoesNotAnswerIsAFailure() throws Exception {
        String socket = folder.resolve("notify").toString();
        try (Program usage = service("", Program.exampleCommand("notify", "send", "READY=1").toArray(String[]::new))) {
            assertEquals(2, usage.exitValue(), usage.output());
        }
        try (Program missing = Program.example("notify", "send", "--socket", socket, "READY=1")) {
            assertEquals(1, missing.exitValue());
            assertEquals("notify send: connect datagram " + socket + ": ENOENT (No such file or directory)\n",
                    missing.output());
        }
        try (Program manager = Program.start("python3", "-uc", MANAGER, socket)) {
            manager.awaitLine("^ready$");
            try (Program send = Program.example("notify", "send", "--socket", socket, "--timeout", "1", "READY=1")) {
                assertEquals(1, send.exitValue());
                send.awaitLine("^notify send: nobody has seen it at " + socket + " in 1 s$");
            }
        }
    }
}
