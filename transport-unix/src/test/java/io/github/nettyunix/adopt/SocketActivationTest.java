package io.github.nettyunix.adopt;

import io.github.nettyunix.SocketActivation;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.socket.Process;
import io.github.nettyunix.process.ChildProcess;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Installed;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Types;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ServerChannel;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.UnixChannel;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** A parent opens sockets, and this process serves them. */
@Tag("once")
@Tag("user")
class SocketActivationTest {
    private static final String VARIABLES = "LISTEN_PID LISTEN_FDS LISTEN_FDNAMES";

    /** A parent that opens sockets of some types, and starts this JVM with them. */
    private static final String PARENT = """
            import atexit, shutil, tempfile
            def temporary():
                folder = tempfile.mkdtemp()
                atexit.register(shutil.rmtree, folder)
                return folder

            def activate(kinds, command, variables={}):
                folder = temporary()
                socks = []
                for kind in kinds:
                    if kind == "tcp":
                        sock = socket.socket()
                        sock.bind(("127.0.0.1", 0))
                    elif kind == "pipe":
                        sock, writer = map(os.fdopen, os.pipe(), "rw")
                        os.write(writer.fileno(), b"of a pipe")
                    else:
                        sock = socket.socket(socket.AF_UNIX, TYPES[kind])
                        sock.bind(os.path.join(folder, kind))
                    if kind not in ("datagram", "pipe"):
                        sock.listen()
                    socks.append(sock)
                child = os.fork()
                if child == 0:
                    # If nobody ends it, it ends itself.
                    signal.alarm(50)
                    moved = [fcntl.fcntl(sock.fileno(), fcntl.F_DUPFD, 20) for sock in socks]
                    for i, fd in enumerate(moved):
                        os.dup2(fd, 3 + i)
                        os.close(fd)
                    os.closerange(3 + len(socks), 20)
                    os.environ.update({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(socks))})
                    os.environ.update(variables)
                    os.execv(command[0], command)
                return folder, child
            """;

    /** Prints the sockets that it was given, then echoes what arrives at them. */
    static final class Service {
        @Sharable
        private static final class Echo extends ChannelInboundHandlerAdapter {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.writeAndFlush(message instanceof DomainDatagramPacket packet
                        ? new UnixDatagramPacket(packet.content(), packet.sender()) : message);
            }
        }

        public static void main(String[] arguments) throws Exception {
            // Java copies the environment now.
            Map<String, String> environment = new HashMap<>(System.getenv());
            List<SocketActivation.Activated> sockets;
            try {
                sockets = SocketActivation.sockets();
            } catch (ChannelException e) {
                System.out.println(e.getMessage());
                System.out.println(environment());
                return;
            }
            for (SocketActivation.Activated socket : sockets) {
                Channel channel = socket.channel();
                System.out.println(socket.name() + " " + channel.getClass().getSimpleName() + " "
                        + channel.localAddress().toString().replaceAll(".*/", "") + " active: " + channel.isActive()
                        + " cloexec: "
                        + isCloseOnExec(((UnixChannel) channel).fd().intValue()));
            }
            for (SocketActivation.Other other : SocketActivation.others()) {
                System.out.println(other.name() + " is another's, " + other.fd() + ", cloexec: "
                        + isCloseOnExec(other.fd()) + ", "
                        + use(other.fd()));
            }
            System.out.println("then " + SocketActivation.sockets().size());
            System.out.println(environment());
            assertEquals(System.getenv(), environment);
            long before = Stream.of(VARIABLES.split(" ")).filter(environment::containsKey).count();
            SocketActivation.clean(environment);
            System.out.println(before + " in Java's copy, " + Stream.of(VARIABLES.split(" "))
                    .filter(environment::containsKey).count() + " when it is clean");
            for (SocketActivation.Activated socket : sockets) {
                if (socket.channel() instanceof ServerChannel server) {
                    new ServerBootstrap().group(Loops.group()).channelFactory(() -> server).childHandler(new Echo())
                            .register().sync();
                } else {
                    socket.channel().pipeline().addLast(new Echo());
                    Loops.group().register(socket.channel()).sync();
                }
            }
            if (sockets.isEmpty()) {
                System.exit(0);
            }
        }

        /** Reads what is there: its number still refers to the same file. */
        private static String use(int fd) throws IOException {
            String link = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
            if (link.startsWith("socket:")) {
                String inode = link.replaceAll("[^0-9]", "");
                return Files.readAllLines(Path.of("/proc/self/net/tcp")).stream().map(line -> line.trim().split(" +"))
                        .anyMatch(entry -> entry[9].equals(inode) && entry[3].equals("0A")) ? "listening"
                        : "no TCP socket";
            }
            try (UnixFileDescriptor pipe = UnixFileDescriptor.adopt(fd);
                    FileChannel channel = pipe.toFileChannel(StandardOpenOption.READ)) {
                ByteBuffer text = ByteBuffer.allocate(100);
                channel.read(text);
                return new String(text.array(), 0, text.position());
            }
        }

        private static String environment() {
            List<String> set = new ArrayList<>();
            for (String name : VARIABLES.split(" ")) {
                if (Process.variable(name) != null) {
                    set.add(name);
                }
            }
            return "set: " + set;
        }

        private static boolean isCloseOnExec(int fd) throws IOException {
            return Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd)).stream()
                    .filter(line -> line.startsWith("flags:"))
                    .anyMatch(line -> (Integer.parseInt(line.substring(6).trim(), 8) & 02000000) != 0);
        }
    }

    private static Python run(String script, Object... first) throws IOException {
        List<Object> arguments = new ArrayList<>(List.of(first));
        arguments.addAll(Jvm.command(Service.class));
        return Python.run(PARENT + script, arguments.toArray());
    }

    private static String channelClass(String kind) {
        return switch (kind) {
            case "stream" -> "UnixServerStreamChannel";
            case "seqpacket" -> "UnixServerSeqpacketChannel";
            default -> "UnixDatagramChannel";
        };
    }

    @Test
    void socketsOfAllTypesAreServed() throws Exception {
        List<String> kinds = Stream.of(SocketType.values()).filter(Types::apply).map(SocketType::toString).toList();
        try (Python python = run("""
                kinds = sys.argv[1].split(",")
                names = [kind.upper() for kind in kinds]
                folder, child = activate(kinds, sys.argv[2:], {"LISTEN_FDNAMES": ":".join(names)})
                socks = []
                for kind in kinds:
                    sock = socket.socket(socket.AF_UNIX, TYPES[kind])
                    sock.bind("")
                    sock.connect(os.path.join(folder, kind))
                    sock.send(b"sent before it runs")
                    socks.append(sock)
                answers = [sock.recv(100).decode() for sock in socks]
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                for answer in answers:
                    print(answer)
                print(sorted(os.listdir(folder)) == sorted(kinds))
                """, String.join(",", kinds))) {
            for (String kind : kinds) {
                python.expect(kind.toUpperCase() + " " + channelClass(kind) + " " + kind
                        + " active: true cloexec: true");
            }
            python.expect("then 0");
            python.expect("set: []");
            python.expect("3 in Java's copy, 0 when it is clean");
            for (int i = 0; i < kinds.size(); i++) {
                python.expect("sent before it runs");
            }
            python.expect("True");
            python.succeed();
        }
        Evidence.of("CPython", "socket activation: sockets of types " + kinds + " are served");
    }

    @EachType
    void systemdIsAParent(SocketType type) throws Exception {
        try (Python python = run("""
                import subprocess, time
                kind = sys.argv[1]
                path = os.path.join(temporary(), kind)
                options = [] if kind == "stream" else ["--" + kind]
                parent = subprocess.Popen([%s, "-l", path, "--fdname=web", *options, *sys.argv[2:]],
                                          stderr=subprocess.DEVNULL, preexec_fn=lambda: signal.alarm(50))
                sock = socket.socket(socket.AF_UNIX, TYPES[kind])
                sock.bind("")
                while sock.connect_ex(path) != 0:
                    time.sleep(0.01)
                sock.send(b"hello")
                answer = sock.recv(100).decode()
                parent.kill()
                parent.wait()
                print(answer)
                """.formatted('"' + Installed.path("systemd-socket-activate") + '"'), type)) {
            python.expect("web " + channelClass(type.toString()) + " " + type + " active: true cloexec: true");
            python.expect("then 0");
            python.expect("set: []");
            python.expect("3 in Java's copy, 0 when it is clean");
            python.expect("hello");
            python.succeed();
        }
        Evidence.of("systemd", "socket activation, " + type);
    }

    /** As docs/semantics.md says. libsystemd, by the authors of the protocol, takes them. */
    @Test
    void aChildCanBeGivenSockets(@TempDir Path folder) throws Exception {
        String child = "import ctypes, os, socket\n" + """
                systemd = ctypes.CDLL("libsystemd.so.0")
                names = ctypes.POINTER(ctypes.c_char_p)()
                count = systemd.sd_listen_fds_with_names(1, ctypes.byref(names))
                for i in range(count):
                    sock = socket.socket(fileno=3 + i)
                    print(names[i].decode(), os.path.basename(sock.getsockname()))
                """;
        ChannelFuture web = Channels.server(SocketType.STREAM, RecordingHandler::new)
                .bind(UnixSocketAddress.of(folder.resolve("w"))).sync();
        ChannelFuture log = Channels.client(SocketType.DATAGRAM, new RecordingHandler())
                .bind(UnixSocketAddress.of(folder.resolve("l"))).sync();
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.put("LISTEN_FDS", "2");
        environment.put("LISTEN_FDNAMES", "web:log");
        Path output = folder.resolve("output");
        try (UnixFileDescriptor out = UnixFileDescriptor.open(output, StandardOpenOption.CREATE,
                StandardOpenOption.WRITE)) {
            assertEquals(0, ChildProcess.start(List.of("sh", "-c", "LISTEN_PID=$$ exec \"$@\"", "sh", "python3", "-c",
                    child),
                    environment, Map.of(1, out, 3, ((UnixChannel) web.channel()).fd(), 4,
                            ((UnixChannel) log.channel()).fd()))
                    .onExit().get(20, TimeUnit.SECONDS));
        }
        assertEquals("web w\nlog l\n", Files.readString(output));
        web.channel().close().sync();
        log.channel().close().sync();
        Evidence.of("systemd", "socket activation: a child is given sockets");
    }

    /** A unit can have ListenStream=/run/app.sock, ListenStream=8080 and ListenFIFO= together. */
    @Test
    void otherSocketsAreListedAndStayUsable() throws Exception {
        try (Python python = run("""
                names = {"LISTEN_FDNAMES": "web:app:fifo:log"}
                folder, child = activate(["tcp", "stream", "pipe", "datagram"], sys.argv[1:], names)
                sock = socket.socket(socket.AF_UNIX)
                sock.connect(os.path.join(folder, "stream"))
                sock.send(b"x")
                sock.recv(1)
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                """)) {
            python.expect("app UnixServerStreamChannel stream active: true cloexec: true");
            python.expect("log UnixDatagramChannel datagram active: true cloexec: true");
            python.expect("web is another's, 3, cloexec: true, listening");
            python.expect("fifo is another's, 5, cloexec: true, of a pipe");
            python.expect("then 0");
            python.expect("set: []");
            python.expect("3 in Java's copy, 0 when it is clean");
            python.succeed();
        }
        Evidence.of("CPython", "socket activation: sockets of other families and pipes are listed and left alone");
    }

    @Test
    void socketsWithoutNamesAreUnknown() throws Exception {
        try (Python python = run("""
                folder, child = activate(["stream"], sys.argv[1:])
                sock = socket.socket(socket.AF_UNIX)
                sock.connect(os.path.join(folder, "stream"))
                sock.send(b"x")
                sock.recv(1)
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                """)) {
            python.expect("unknown UnixServerStreamChannel stream active: true cloexec: true");
            python.expect("then 0");
            python.expect("set: []");
            python.expect("2 in Java's copy, 0 when it is clean");
            python.succeed();
        }
    }

    /** Prints what the child of such a process finds. */
    @Test
    void whatIsForAnotherProcessIsLeftAlone() throws Exception {
        try (Python python = run("""
                folder, child = activate(["stream"], sys.argv[1:], {"LISTEN_PID": str(os.getpid())})
                sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
                """)) {
            python.expect("then 0");
            python.expect("set: [LISTEN_PID, LISTEN_FDS]");
            python.expect("2 in Java's copy, 0 when it is clean");
            python.succeed();
        }
    }

    @Test
    void whatCannotBeServedIsNamedAndNothingIsTaken() throws Exception {
        try (Python python = run("""
                for kinds, variables in (
                        (["stream"], {"LISTEN_FDNAMES": "one:two"}),
                        (["stream"], {"LISTEN_FDS": "many"}),
                        (["stream"], {"LISTEN_FDS": "1000"})):
                    child = activate(kinds, sys.argv[1:], variables)[1]
                    os.waitpid(child, 0)
                """)) {
            python.expect("activate: EINVAL (Invalid argument): LISTEN_FDNAMES is one:two, and LISTEN_FDS is 1");
            python.expect("set: [LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES]");
            python.expect("activate: EINVAL (Invalid argument): LISTEN_FDS is many");
            python.expect("set: [LISTEN_PID, LISTEN_FDS]");
            String last = python.line();
            assertEquals("activate: ", last.substring(0, 10), last);
            python.expect("set: [LISTEN_PID, LISTEN_FDS]");
            python.succeed();
        }
        Evidence.of("CPython", "socket activation: what cannot be served is named and nothing is taken");
    }
}
