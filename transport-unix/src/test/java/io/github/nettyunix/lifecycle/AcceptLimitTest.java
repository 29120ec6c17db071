package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.Buffers;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.Threads;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.util.internal.logging.InternalLoggerFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** A server at its limit of descriptors: clients that cannot be accepted wait, and are accepted later. */
@ExtendWith(LeakCheckExtension.class)
class AcceptLimitTest {
    private static final int ROOM = 8;
    private static final int GUESTS = 12;

    @TempDir
    private Path folder;

    /** The server: it prints when an accept fails, and echoes. */
    static final class Server {
        private static final class Echo extends ChannelInboundHandlerAdapter {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.writeAndFlush(message);
            }
        }

        private static final class Reporter extends ChannelInboundHandlerAdapter {
            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                System.out.println(cause instanceof UnixSocketError error ? error.operation() + " " + error.errnoName()
                        : cause);
                ctx.fireExceptionCaught(cause);
            }
        }

        private Server() {
        }

        public static void main(String[] arguments) throws Exception {
            Buffers buffers = new Buffers();
            Channel server = Channels.server(SocketType.valueOf(arguments[1]), Echo::new)
                    .childOption(ChannelOption.ALLOCATOR, buffers.allocator()).handler(new Reporter())
                    .bind(UnixSocketAddress.of(arguments[0])).sync().channel();
            System.out.println("ready");
            // Classes cannot be loaded later, nor files be read: those of the first connection, of errors and of the
            // log, where the pipeline reports what nobody has handled.
            System.in.read();
            try {
                UnixFileDescriptor.open(Path.of(arguments[0]).getParent(), StandardOpenOption.WRITE);
            } catch (IOException isFolder) {
                InternalLoggerFactory.getInstance(AcceptLimitTest.class)
                        .warn("This is how an error is logged", isFolder);
                System.out.println("warm");
            }
            LoopCpu.assertIdle(server.eventLoop());
            Descriptors before = Descriptors.now();
            Threads threads = Threads.now();
            Deque<UnixFileDescriptor> all = new ArrayDeque<>();
            try {
                while (true) {
                    all.push(UnixFileDescriptor.open(Path.of("/dev/null")));
                }
            } catch (IOException full) {
                for (int i = 0; i < ROOM; i++) {
                    all.pop().close();
                }
            }
            System.out.println("full");
            System.in.read();
            LoopCpu.assertIdle(server.eventLoop());
            System.out.println("idle");
            while (System.in.read() >= 0) {
                Thread.onSpinWait();
            }
            for (UnixFileDescriptor fd : all) {
                fd.close();
            }
            before.assertUnchanged();
            threads.assertUnchanged();
            buffers.assertAllReleased();
            System.out.println("nothing left");
            server.close().sync();
            System.exit(0);
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectionsThatCannotBeAcceptedWaitAndAreAcceptedLater(SocketType type) throws Exception {
        String path = folder.resolve("server").toString();
        List<String> command = new ArrayList<>(List.of(type.toString(), path, "" + GUESTS));
        command.addAll(Jvm.command(Server.class, "-Dnettyunix.test.selector=" + Loops.selector()));
        command.addAll(List.of(path, type.name()));
        try (Python python = Python.run("""
                import resource, subprocess
                kind, path, count = TYPES[sys.argv[1]], sys.argv[2], int(sys.argv[3])
                server = subprocess.Popen(sys.argv[4:], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    text=True, bufsize=1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)))

                def expect(line):
                    found = server.stdout.readline().strip()
                    assert found == line, found

                def guest(number):
                    sock = socket.socket(socket.AF_UNIX, kind)
                    sock.connect(path)
                    sock.send(str(number).encode())
                    return sock

                def served(number, sock):
                    echo = sock.recv(100)
                    assert echo == str(number).encode(), (number, echo)

                expect("ready")
                with guest(0) as first:
                    served(0, first)
                server.stdin.write("\\n")
                expect("warm")
                expect("full")
                guests = [guest(number) for number in range(count)]
                expect("accept EMFILE")
                server.stdin.write("\\n")
                # In the order in which they came; each that leaves makes room for another.
                for number, sock in enumerate(guests):
                    served(number, sock)
                    sock.close()
                server.stdin.close()
                rest = [line.strip() for line in server.stdout]
                assert server.wait() == 0
                # It does not try all the time.
                assert rest.pop() == "nothing left", rest
                assert set(rest) <= {"idle", "accept EMFILE"} and "idle" in rest and len(rest) < 10, rest
                print("done")
                """, command.toArray())) {
            python.expect("done");
            python.succeed();
        }
        Evidence.of("CPython", "at its limit of descriptors a " + type
                + " server backs off, recovers, and loses no connection");
    }
}
