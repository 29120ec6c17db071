package io.github.nettyunix.api;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

/** An option and its effect agree, no matter who set it and when. */
@Tag("library")
@Tag("user")
@EnabledOnOs(value = OS.LINUX, disabledReason = "does not apply: only Linux has credentials in messages")
@ExtendWith(LeakCheckExtension.class)
class ControlDataOptionsTest {
    @TempDir
    Path folder;

    @EachType
    void adoptedSocketDeliversTheCredentialsThatItHasTheOptionFor(SocketType type) throws Exception {
        List<UnixFileDescriptor> pair = UnixFileDescriptor.socketPair(type);
        UnixFileDescriptor ours = pair.get(0);
        // What systemd does for PassCredentials=yes.
        Channel before = UnixTransport.adopt(UnixFileDescriptor.dup(ours));
        before.config().setOption(UnixSocketOption.SO_PASSCRED, true);
        before.unsafe().closeForcibly();
        RecordingHandler inbox = new RecordingHandler();
        Channel receiver = UnixTransport.adopt(ours);
        assertEquals(true, receiver.config().getOption(UnixSocketOption.SO_PASSCRED));
        assertEquals(false, receiver.config().getOption(UnixSocketOption.SO_PASSSEC));
        Channels.register(receiver, inbox);
        Channel sender = Channels.register(UnixTransport.adopt(pair.get(1)), new RecordingHandler());
        sender.writeAndFlush(ChannelPair.buffer("whose?")).sync();
        UnixMessage message = inbox.take(UnixMessage.class);
        assertEquals(ProcessHandle.current().pid(), message.credentials().pid());
        assertEquals("whose?", ChannelPair.text(message));
        sender.close().sync();
        receiver.close().sync();
        Evidence.of("itself", "an adopted " + type
                + " socket with SO_PASSCRED delivers credentials, as the option says");
    }

    @EachRow({"STREAM, true", "STREAM, false", "SEQPACKET, true", "SEQPACKET, false"})
    void connectionThatWaitsInTheBacklogGetsWhatTheServerHasWhenItIsAccepted(SocketType type, boolean on)
            throws Exception {
        LinkedBlockingQueue<RecordingHandler> accepted = new LinkedBlockingQueue<>();
        ServerBootstrap bootstrap = Channels.server(type, () -> {
            RecordingHandler inbox = new RecordingHandler();
            accepted.add(inbox);
            return inbox;
        });
        Channel server = bootstrap.option(ChannelOption.AUTO_READ, false).option(UnixSocketOption.SO_PASSCRED, !on)
                .bind(UnixSocketAddress.of(folder.resolve("server"))).sync().channel();
        try (Python python = Python.run("""
                sock = socket.socket(socket.AF_UNIX, TYPES[sys.argv[1]])
                sock.connect(sys.argv[2])
                print("waiting")
                input()
                sock.send(b"hello")
                wait_for_end()
                """, type, folder.resolve("server"))) {
            python.expect("waiting");
            server.config().setOption(UnixSocketOption.SO_PASSCRED, on);
            server.config().setAutoRead(true);
            RecordingHandler inbox = accepted.poll(10, TimeUnit.SECONDS);
            assertNotNull(inbox);
            assertEquals(on, inbox.channel().config().getOption(UnixSocketOption.SO_PASSCRED));
            python.say("go");
            if (on) {
                UnixMessage message = inbox.take(UnixMessage.class);
                assertEquals(python.pid(), message.credentials().pid());
                message.release();
            } else {
                assertEquals("hello", ChannelPair.text(inbox.take(ByteBuf.class)));
            }
            inbox.channel().close().sync();
            python.succeed();
        }
        server.close().sync();
        Evidence.of("CPython", "a " + type + " connection in the backlog gets the server's SO_PASSCRED, " + on);
    }
}
