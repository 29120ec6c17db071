package io.github.nettyunix.descriptor;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.ArrayList;
import java.util.List;


/**
 * An unprivileged user may have no more descriptors in flight, sent but not yet received, than a process may have open
 * (ETOOMANYREFS). A sender that exceeds the limit waits for the receiver.
 */
@Tag("once")
@ExtendWith(LeakCheckExtension.class)
class DescriptorsUnderWayTest {
    private static final int LIMIT = 100;
    private static final int MESSAGES = 20;
    /** None of these flushes starts another delay. */
    private static final int FLUSHES = 5000;
    /**
     * The kernel checks the limit before it counts what is being sent: two messages of this many descriptors go out.
     */
    private static final int DESCRIPTORS = 60;

    /** The sender, whose socket is its standard input. */
    static final class Sender {
        private Sender() {
        }

        public static void main(String[] arguments) {
            try {
                send();
                System.exit(0);
            } catch (Throwable t) {
                t.printStackTrace();
                System.exit(1);
            }
        }

        private static void send() throws Exception {
            Channel channel = Channels.register(UnixTransport.adopt(0), new RecordingHandler());
            UnixFileDescriptor fd = Content.labelled("file");
            List<ChannelFuture> writes = new ArrayList<>();
            for (int i = 0; i < MESSAGES; i++) {
                UnixFileDescriptor[] same = new UnixFileDescriptor[DESCRIPTORS];
                for (int k = 0; k < DESCRIPTORS; k++) {
                    same[k] = fd.retain();
                }
                writes.add(channel.write(new UnixMessage(Content.of("%02d".formatted(i)), same)));
            }
            channel.flush();
            writes.get(1).sync();
            for (int i = 0; i < FLUSHES; i++) {
                channel.flush();
            }
            ChannelPair.settle(channel);
            LoopCpu.assertIdle(channel.eventLoop());
            ChannelPair.settle(channel);
            System.out.println("sent: " + writes.stream().filter(ChannelFuture::isSuccess).count());
            for (ChannelFuture write : writes) {
                write.sync();
            }
            System.out.println("sent all, references: " + fd.refCnt());
        }
    }

    @EachType
    void senderOfTooManyDescriptorsWaitsForTheReceiver(SocketType type) throws Exception {
        List<String> command = new ArrayList<>(List.of(type.toString(), "" + MESSAGES, "" + DESCRIPTORS, "" + LIMIT));
        if (ProcessHandle.current().info().user().orElseThrow().equals("root")) {
            // A user of which there are no other processes; it may read what root may read, such as the classes.
            command.addAll(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                    "--inh-caps=+dac_override", "--ambient-caps=+dac_override"));
        }
        command.addAll(Jvm.command(Sender.class));
        try (Python python = Python.run("""
                import resource, subprocess
                kind, (messages, descriptors, limit) = sys.argv[1], map(int, sys.argv[2:5])
                ours, theirs = socket.socketpair(socket.AF_UNIX, TYPES[kind])
                sender = subprocess.Popen(sys.argv[5:], stdin=theirs, stdout=subprocess.PIPE, text=True,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
                theirs.close()
                print(sender.stdout.readline().strip())
                for number in range(messages):
                    data, fds, flags, _ = receive(ours, 2)
                    found = data.decode(), len(fds), {label(fd) for fd in fds}
                    assert found == (f"{number:02}", descriptors, {"file"}), (number, found)
                    close_all(fds)
                print(sender.stdout.readline().strip())
                assert sender.wait() == 0
                """, command.toArray())) {
            python.expect("sent: 2");
            python.expect("sent all, references: 1");
            python.succeed();
        }
        Evidence.of("CPython", "a " + type + " sender with too many descriptors under way waits, and loses none");
    }
}
