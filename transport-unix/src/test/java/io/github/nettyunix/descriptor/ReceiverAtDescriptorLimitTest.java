package io.github.nettyunix.descriptor;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** A process at its limit of descriptors is sent more: it gets all descriptors of a message, or an error and none. */
@Tag("library")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class ReceiverAtDescriptorLimitTest {
    /** The receiver, whose socket is its standard input; it prints what arrives. */
    static final class Receiver {
        private Receiver() {
        }

        public static void main(String[] arguments) throws Exception {
            RecordingHandler inbox = new RecordingHandler();
            Channel channel = UnixTransport.adopt(0);
            channel.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
            Channels.register(channel, inbox);
            tell(inbox.take());
            // Loads the classes of errors now, because none can be loaded later.
            new ControlDataTruncatedException(SocketType.STREAM, UnixSocketAddress.unnamed(), 1,
                    null, null).getMessage();
            int before = Descriptors.open().size();
            Deque<UnixFileDescriptor> all = new ArrayDeque<>();
            try {
                UnixFileDescriptor.open(Path.of("/dev"), StandardOpenOption.WRITE);
            } catch (IOException isFolder) {
                tell(isFolder);
            }
            try {
                while (true) {
                    all.push(UnixFileDescriptor.open(Path.of("/dev/null")));
                }
            } catch (IOException full) {
                all.pop().close();
                all.pop().close();
            }
            System.out.println("full");
            tell(inbox.take());
            for (UnixFileDescriptor fd : all) {
                fd.close();
            }
            System.out.println(Descriptors.open().size() <= before ? "nothing left" : "left: " + Descriptors.open());
            tell(inbox.take());
            System.exit(0);
        }

        private static void tell(Object event) {
            if (event instanceof UnixMessage message) {
                System.out.println("message, descriptors: " + message.fileDescriptors().size());
                message.release();
            } else {
                System.out.println(event instanceof UnixSocketError error ? error.operation() + " " + error.errnoName()
                        : event);
            }
        }
    }

    @EachType
    void messageWhoseDescriptorsDoNotFitIsAnError(SocketType type) throws Exception {
        List<String> command = new ArrayList<>(List.of(type.toString()));
        command.addAll(Jvm.command(Receiver.class, "-Dnettyunix.test.selector=" + Loops.selector()));
        try (Python python = Python.run("""
                import resource, subprocess
                kind = sys.argv[1]
                ours, theirs = socket.socketpair(socket.AF_UNIX, TYPES[kind])
                receiver = subprocess.Popen(sys.argv[2:], stdin=theirs, stdout=subprocess.PIPE, text=True,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)))
                theirs.close()

                def expect(line):
                    found = receiver.stdout.readline().strip()
                    assert found == line, found

                fds = [labelled("file") for _ in range(5)]
                send(ours, b"one", fds)
                expect("message, descriptors: 5")
                expect("open /dev EISDIR")
                expect("full")
                send(ours, b"two", fds)
                expect("read EMSGSIZE")
                expect("nothing left")
                if kind == "stream":
                    # Its descriptors would no longer match its bytes.
                    expect("INACTIVE")
                else:
                    send(ours, b"three", fds)
                    expect("message, descriptors: 5")
                assert receiver.wait() == 0
                print("done")
                """, command.toArray())) {
            python.expect("done");
            python.succeed();
        }
        Evidence.of("CPython", "a " + type + " receiver at its limit of descriptors gets one error and keeps none");
    }
}
