package io.github.nettyunix.bind;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.process.ChildProcess;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ServerChannel;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.unix.UnixChannel;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Another process takes a server's place while clients keep coming: it gets the listening socket as a descriptor. */
@Tag("once")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class RestartTest {
    private static final int OWN_PID = UnixCredentials.ofThisProcess().pid();

    /** Clients that connect and leave without a pause, and one that stays. */
    private static final String CLIENTS = """
            import threading
            kind, path = TYPES[sys.argv[1]], sys.argv[2]
            served = collections.Counter()
            errors = []
            enough = {False: threading.Event(), True: threading.Event()}
            stop = threading.Event()

            def connect():
                sock = socket.socket(socket.AF_UNIX, kind)
                sock.connect(path)
                return sock

            def ask(sock):
                sock.send(b"?")
                return int(sock.recv(100))

            def come_and_go():
                while not stop.is_set():
                    try:
                        with connect() as sock:
                            pid = ask(sock)
                        served[pid] += 1
                        if served[pid] == 200:
                            enough[pid != first].set()
                    except Exception as e:
                        errors.append(repr(e))
                        enough[False].set()
                        enough[True].set()
                        return

            staying = connect()
            first = ask(staying)
            threads = [threading.Thread(target=come_and_go) for _ in range(4)]
            for thread in threads:
                thread.start()
            enough[False].wait()
            print("under load")
            input()
            print(ask(staying))
            enough[True].wait()
            stop.set()
            for thread in threads:
                thread.join()
            print(sorted(served) == sorted([first, int(input())]), errors)
            """;

    /** Prints who answers. */
    @Sharable
    private static final class Answers extends SimpleChannelInboundHandler<ByteBuf> {
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf question) {
            ctx.writeAndFlush(Content.of(Integer.toString(OWN_PID)));
        }
    }

    /**
     * Gets the listening socket through the socket that is its standard input, reports there when it is ready and when
     * it serves, and ends when that socket is closed.
     */
    static final class Successor {
        public static void main(String[] arguments) throws Exception {
            Channel predecessor = UnixTransport.adopt(0);
            predecessor.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
            Channels.register(predecessor, new SimpleChannelInboundHandler<UnixMessage>() {
                @Override
                protected void channelRead0(ChannelHandlerContext ctx, UnixMessage message) {
                    ServerChannel server = (ServerChannel) UnixTransport.adopt(message.fileDescriptors().get(0));
                    new ServerBootstrap().group(Loops.group()).channelFactory(() -> server).childHandler(new Answers())
                            .register().addListener(future -> ctx.writeAndFlush(Content.of("serving")));
                }
            });
            predecessor.writeAndFlush(Content.of("ready"));
            predecessor.closeFuture().sync();
            System.exit(0);
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void noClientNoticesThatAnotherProcessTakesOver(SocketType type, @TempDir Path folder) throws Exception {
        Path path = folder.resolve("server");
        // The path belongs to the successor when this process releases the socket.
        Channel server = Channels.server(type, Answers::new)
                .option(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.failIfExists().keepOnClose())
                .bind(UnixSocketAddress.of(path)).sync().channel();
        List<UnixFileDescriptor> pair = UnixFileDescriptor.socketPair(SocketType.STREAM);
        RecordingHandler inbox = new RecordingHandler();
        Channel control = Channels.register(UnixTransport.adopt(pair.get(0)), inbox);
        ChildProcess successor = ChildProcess.start(Jvm.command(Successor.class), null, Map.of(0, pair.get(1)));
        pair.get(1).release();
        assertEquals("ready", Content.text(Content.take(inbox.take())));
        try (Python clients = Python.run(CLIENTS, type, path)) {
            clients.expect("under load");
            control.writeAndFlush(new UnixMessage(Content.of("listen"),
                    UnixFileDescriptor.dup(((UnixChannel) server).fd())));
            assertEquals("serving", Content.text(Content.take(inbox.take())));
            // Until now, both accept.
            server.close().sync();
            assertTrue(Files.exists(path));
            clients.say("closed");
            clients.expect(Integer.toString(OWN_PID));
            clients.say(Integer.toString(successor.pid()));
            clients.expect("True []");
            clients.succeed();
        }
        control.close().sync();
        assertEquals(0, successor.onExit().get(20, TimeUnit.SECONDS));
        Evidence.of("CPython", "another process takes over a listening socket under load, and no client sees an error, "
                + type);
    }
}
