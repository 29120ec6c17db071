package io.github.nettyunix.identity;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.netty.channel.ChannelFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What an unprivileged process may not do. */
@Tag("once")
@Tag("user")
class UnprivilegedTest {
    /** Runs a program as user nobody, who can still read the classes of this one wherever they are. */
    private static final List<String> AS_NOBODY = List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search");

    /** Claims to be root first, then tells the truth. */
    static final class Liar {
        public static void main(String[] arguments) throws Exception {
            // Event loops would keep the process alive.
            Thread.setDefaultUncaughtExceptionHandler((thread, e) -> {
                e.printStackTrace();
                System.exit(1);
            });
            UnixCredentials own = UnixCredentials.ofThisProcess();
            for (SocketType type : SocketType.values()) {
                String result = type + ":";
                for (UnixCredentials claim : List.of(new UnixCredentials(own.pid(), 0, own.gid()),
                        new UnixCredentials(own.pid(), own.uid(), 0), own)) {
                    // A pair for each: a refused message ends the output of a stream.
                    try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.SO_PASSCRED, true).start()) {
                        ChannelFuture written = pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"))
                                .withCredentials(claim));
                        result += written.await().cause() instanceof UnixSocketError e ? " " + e.errnoName() : " sent";
                        if (written.isSuccess()) {
                            UnixMessage message = pair.inbox.take(UnixMessage.class);
                            result += message.credentials().uid() == own.uid() ? ", " : ", as somebody else ";
                            result += ChannelPair.text(message);
                        }
                    }
                }
                System.out.println(result);
            }
            System.exit(0);
        }
    }

    @Test
    void falseCredentialsAreRefused() throws Exception {
        List<String> command = new ArrayList<>(UnixCredentials.ofThisProcess().uid() == 0 ? AS_NOBODY : List.of());
        command.addAll(Jvm.command(Liar.class));
        Process liar = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        assertEquals("""
                stream: EPERM EPERM sent, x
                seqpacket: EPERM EPERM sent, x
                datagram: EPERM EPERM sent, x
                """, new String(liar.getInputStream().readAllBytes()));
        assertTrue(liar.waitFor(10, TimeUnit.SECONDS));
        assertEquals(0, liar.exitValue());
        Evidence.of("itself", "credentials that nobody has a right to fail their write with EPERM, on all types");
    }
}
