package io.github.nettyunix.selftest;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.process.ChildProcess;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultFileRegion;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import static io.github.nettyunix.SocketType.DATAGRAM;
import static io.github.nettyunix.SocketType.SEQPACKET;
import static io.github.nettyunix.SocketType.STREAM;

/** What the self-test tries, in the order of the table. */
final class Features {
    private static final Set<SocketType> ALL = EnumSet.allOf(SocketType.class);
    private static final Set<SocketType> RECORDS = EnumSet.of(SEQPACKET, DATAGRAM);
    private static final Set<SocketType> CONNECTIONS = EnumSet.of(STREAM, SEQPACKET);
    private static final Path DEVICE = Path.of("/dev/null");
    private static final String OK = "ok";

    private final Path folder;

    Features(Path folder) {
        this.folder = folder;
    }

    List<Feature> list() {
        return List.of(
                new Feature("socket pair", ALL, Features::pair,
                        "macOS has no seqpacket sockets: creating such a channel fails with EPROTONOSUPPORT"),
                new Feature("socket file, mode rw-------", ALL, this::socketFile,
                        "binding to a path fails"),
                new Feature("path of 150 bytes", CONNECTIONS, this::longPath,
                        "Linux: elsewhere a longer path than sun_path holds fails with ENAMETOOLONG"),
                new Feature("abstract name", ALL, Features::abstractName,
                        "Linux: elsewhere use socket files"),
                new Feature("name chosen by the kernel", ALL, Features::autobind,
                        "Linux: elsewhere use socket files"),
                new Feature("empty record", RECORDS, Features::emptyRecord,
                        "an empty record cannot be told from the end of the connection"),
                new Feature("end of the connection", CONNECTIONS, Features::end,
                        "the end of a connection is not noticed"),
                new Feature("a descriptor", ALL, this::descriptor,
                        "descriptors are not passed"),
                new Feature("253 descriptors at once", ALL, Features::manyDescriptors,
                        "messages have fewer descriptors"),
                new Feature("exact positions of descriptors", EnumSet.of(STREAM), Features::exactPositions,
                        "Linux: elsewhere EXACT_DESCRIPTOR_POSITIONS throws UnsupportedOperationException, and bytes"
                                + " sent before a descriptor may arrive in one message with it"),
                new Feature("refusal of descriptors (SO_PASSRIGHTS)", ALL, Features::refusal,
                        "Linux 6.16: turning the option off throws UnsupportedOperationException. Descriptors that"
                                + " nobody requested are still discarded, by the receiver's kernel, and their senders"
                                + " are not told"),
                new Feature("sender's pid, uid and gid (SO_PASSCRED)", ALL, Features::credentials,
                        "Linux, and FreeBSD: elsewhere the option throws UnsupportedOperationException; use"
                                + " UnixPeer.peerCredentials()"),
                new Feature("sender's pidfd (SO_PASSPIDFD)", ALL, Features::pidFd,
                        "Linux 6.5: the option throws UnsupportedOperationException; use SO_PASSCRED, whose pid may"
                                + " belong to another process by the time it is looked up"),
                new Feature("sender's security label (SO_PASSSEC)", ALL, Features::label,
                        "a kernel with SELinux, AppArmor or Smack: messages have no label"),
                new Feature("peer's pid, uid and gid (SO_PEERCRED)", ALL, Features::peerCredentials,
                        "peerCredentials() throws UnsupportedOperationException"),
                new Feature("peer's groups (SO_PEERGROUPS)", ALL, Features::peerGroups,
                        "Linux 4.13: peerCredentials() has no supplementary groups"),
                new Feature("peer's pidfd (SO_PEERPIDFD)", ALL, Features::peerPidFd,
                        "Linux 6.5: peerPidFd() throws UnsupportedOperationException; use peerCredentials()"),
                new Feature("peer's security label (SO_PEERSEC)", ALL, Features::peerLabel,
                        "a kernel with SELinux, AppArmor or Smack: peerSecurityLabel() throws"
                                + " UnsupportedOperationException"),
                new Feature("file sent by the kernel (sendfile)", EnumSet.of(STREAM), this::fileRegion,
                        "the bytes are copied through this process"),
                new Feature("sealed file in memory (memfd_create)", EnumSet.of(STREAM), Features::memory,
                        "Linux 3.17: UnixFileDescriptor.memfd() fails; send a temporary file"),
                new Feature("child process with a socket", EnumSet.of(STREAM), Features::child,
                        "ChildProcess.start() fails"),
                new Feature("send buffer, bytes", ALL, trial -> bytes(trial, ChannelOption.SO_SNDBUF), ""),
                new Feature("receive buffer, bytes", ALL, trial -> bytes(trial, ChannelOption.SO_RCVBUF), ""),
                new Feature("longest record by default, bytes", RECORDS, Features::longestRecord,
                        "longer records fail with EMSGSIZE; raise SO_SNDBUF"));
    }

    private static String pair(Trial trial) throws Exception {
        trial.pair().exchange();
        return OK;
    }

    private String socketFile(Trial trial) throws Exception {
        Path path = folder.resolve(trial.type.toString());
        trial.reach(UnixSocketAddress.of(path), UnixSocketOption.SOCKET_FILE,
                SocketFilePolicy.replaceStale().withMode("rw-------"));
        Trial.expectEqual("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
        trial.close();
        Trial.expectEqual(false, Files.exists(path));
        return OK;
    }

    private String longPath(Trial trial) throws Exception {
        Path deep = Files.createDirectories(folder.resolve("d".repeat(150)));
        if (!Machine.isLinux()) {
            throw new UnsupportedOperationException();
        }
        trial.reach(UnixSocketAddress.of(deep.resolve("s")), ChannelOption.AUTO_READ, true);
        return OK;
    }

    private static String abstractName(Trial trial) throws Exception {
        reachByName(trial, UnixSocketAddress.ofAbstract("netty-transport-unix-selftest/"
                + ProcessHandle.current().pid() + '/' + trial.type));
        return OK;
    }

    private static String autobind(Trial trial) throws Exception {
        reachByName(trial, UnixSocketAddress.autobind());
        return OK;
    }

    private static void reachByName(Trial trial, UnixSocketAddress address) throws Exception {
        if (!Machine.isLinux()) {
            throw new UnsupportedOperationException();
        }
        Trial.expectEqual(true, trial.reach(address, ChannelOption.AUTO_READ, true).isAbstract());
    }

    private static String emptyRecord(Trial trial) throws Exception {
        trial.pair();
        trial.send(Unpooled.EMPTY_BUFFER);
        Trial.expect("", trial.take());
        trial.exchange();
        return OK;
    }

    private static String end(Trial trial) throws Exception {
        trial.pair().exchange();
        Trial.await(trial.sender.close());
        trial.expectEnd();
        return OK;
    }

    private String descriptor(Trial trial) throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "content");
        trial.pair(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        trial.send(new UnixMessage(Trial.buffer("message"), UnixFileDescriptor.open(file)));
        UnixMessage message = trial.takeMessage();
        try (FileChannel received = message.fileDescriptors().get(0).toFileChannel()) {
            ByteBuffer content = ByteBuffer.allocate(16);
            received.read(content, 0);
            Trial.expect("content", Unpooled.wrappedBuffer(content.flip()));
        }
        Trial.expect("message", message);
        return OK;
    }

    private static String manyDescriptors(Trial trial) throws Exception {
        UnixFileDescriptor[] fds = new UnixFileDescriptor[UnixMessage.MAX_FILE_DESCRIPTORS];
        for (int i = 0; i < fds.length; i++) {
            fds[i] = UnixFileDescriptor.open(DEVICE);
        }
        trial.pair(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        trial.send(new UnixMessage(Trial.buffer("message"), fds));
        UnixMessage message = trial.takeMessage();
        Trial.expectEqual(fds.length, message.fileDescriptors().size());
        Trial.expect("message", message);
        return OK;
    }

    private static String exactPositions(Trial trial) throws Exception {
        trial.pair(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        trial.receiver.config().setOption(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true);
        trial.receiver.config().setAutoRead(false);
        trial.send("before");
        trial.send(new UnixMessage(Trial.buffer("with"), UnixFileDescriptor.open(DEVICE)));
        trial.receiver.config().setAutoRead(true);
        Trial.expect("before", trial.take());
        Trial.expect("with", trial.take());
        return OK;
    }

    private static String refusal(Trial trial) throws Exception {
        trial.pair(UnixSocketOption.SO_PASSRIGHTS, false);
        try {
            trial.send(new UnixMessage(Trial.buffer("message"), UnixFileDescriptor.open(DEVICE)));
        } catch (IOException e) {
            Trial.expectEqual("EPERM", ((UnixSocketError) e).errnoName());
            return OK;
        }
        throw new IllegalStateException("a descriptor was accepted");
    }

    private static String credentials(Trial trial) throws Exception {
        UnixMessage message = withIdentity(trial, UnixSocketOption.SO_PASSCRED);
        UnixCredentials sent = message.credentials();
        message.release();
        UnixCredentials own = UnixCredentials.ofThisProcess();
        Trial.expectEqual(new UnixCredentials(own.pid(), own.uid(), own.gid()),
                new UnixCredentials(sent.pid(), sent.uid(), sent.gid()));
        return OK;
    }

    private static String pidFd(Trial trial) throws Exception {
        UnixMessage message = withIdentity(trial, UnixSocketOption.SO_PASSPIDFD);
        boolean present = message.pidFd() != null;
        message.release();
        Trial.expectEqual(true, present);
        return OK;
    }

    private static String label(Trial trial) throws Exception {
        UnixMessage message = withIdentity(trial, UnixSocketOption.SO_PASSSEC);
        String label = message.securityLabel();
        message.release();
        if (label == null) {
            throw new UnsupportedOperationException();
        }
        return label;
    }

    private static UnixMessage withIdentity(Trial trial, ChannelOption<Boolean> option) throws Exception {
        trial.pair(option, true);
        trial.send("message");
        return trial.takeMessage();
    }

    private static UnixPeer peer(Trial trial) throws Exception {
        return (UnixPeer) trial.pair().receiver;
    }

    private static String peerCredentials(Trial trial) throws Exception {
        UnixCredentials peer = peer(trial).peerCredentials();
        UnixCredentials own = UnixCredentials.ofThisProcess();
        Trial.expectEqual(own.uid() + ":" + own.gid(), peer.uid() + ":" + peer.gid());
        return OK;
    }

    private static String peerGroups(Trial trial) throws Exception {
        List<Integer> own = UnixCredentials.ofThisProcess().groups();
        List<Integer> groups = peer(trial).peerCredentials().groups();
        if (groups.isEmpty() && !own.isEmpty()) {
            throw new UnsupportedOperationException();
        }
        int[] sorted = groups.stream().mapToInt(Integer::intValue).sorted().toArray();
        Trial.expectEqual(Arrays.toString(own.stream().mapToInt(Integer::intValue).sorted().toArray()),
                Arrays.toString(sorted));
        return own.isEmpty() ? "has none" : OK;
    }

    private static String peerPidFd(Trial trial) throws Exception {
        peer(trial).peerPidFd().close();
        return OK;
    }

    private static String peerLabel(Trial trial) throws Exception {
        return peer(trial).peerSecurityLabel();
    }

    private String fileRegion(Trial trial) throws Exception {
        Path file = Files.writeString(folder.resolve("region"), "region");
        trial.pair();
        trial.send(new DefaultFileRegion(file.toFile(), 0, 6));
        Trial.expect("region", trial.take());
        return OK;
    }

    private static String memory(Trial trial) throws Exception {
        if (!Machine.isLinux()) {
            throw new UnsupportedOperationException();
        }
        try (UnixFileDescriptor memory = UnixFileDescriptor.memfd("selftest", Trial.buffer("content"))) {
            Trial.expectEqual(7L, memory.size());
            Trial.expectEqual(true, memory.seals().contains(UnixFileDescriptor.Seal.WRITE));
        } catch (IOException e) {
            throw missingIf(e, "ENOSYS");
        }
        return OK;
    }

    private static Exception missingIf(IOException e, String errno) {
        return e instanceof UnixSocketError error && error.errnoName().equals(errno)
                ? new UnsupportedOperationException(e) : e;
    }

    private static String child(Trial trial) throws Exception {
        List<UnixFileDescriptor> pair = UnixFileDescriptor.socketPair(trial.type);
        trial.adopt(pair.get(0));
        ChildProcess child;
        try (UnixFileDescriptor theirs = pair.get(1)) {
            child = ChildProcess.start(List.of("sh", "-c", "printf message >&7"), null, Map.of(7, theirs));
        }
        Trial.expect("message", trial.take());
        trial.expectEnd();
        Trial.expectEqual(0, child.onExit().get(1, TimeUnit.MINUTES));
        return OK;
    }

    private static String bytes(Trial trial, ChannelOption<Integer> option) throws Exception {
        return String.format("%,d", trial.pair().sender.config().getOption(option));
    }

    private static String longestRecord(Trial trial) throws Exception {
        // The kernel's own share of a message.
        int length = trial.pair().sender.config().getOption(ChannelOption.SO_SNDBUF) - 32;
        String text = "x".repeat(length);
        trial.send(text);
        Trial.expect(text, trial.take());
        return String.format("%,d", length);
    }
}
