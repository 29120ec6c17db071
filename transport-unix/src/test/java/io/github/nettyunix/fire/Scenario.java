package io.github.nettyunix.fire;

import io.github.nettyunix.DatagramQueueFull;
import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.internal.readiness.SpinningIoHandler;

import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;

/** What one case consists of, all of it drawn from its seed: the receiver's options and the peer's operations. */
final class Scenario {
    /** The peer sends parts of {@link #block}, which is a little longer than the longest message. */
    static final int LONGEST = 4 << 20;
    static final int BLOCK = LONGEST + (64 << 10);
    /** Where the block has what is sent out of band, and the byte that comes with a descriptor without a message. */
    static final int OUT_OF_BAND_OFFSET = BLOCK - 1;
    static final int ZERO_OFFSET = BLOCK - 2;
    static final int MAX_DESCRIPTORS = 253;
    static final Set<UnixFileDescriptor.Type> ADMITTED_TYPES = Set.of(UnixFileDescriptor.Type.MEMFD,
            UnixFileDescriptor.Type.PIPE, UnixFileDescriptor.Type.SOCKET);

    private static final byte OUT_OF_BAND = -1;
    private static final int SMALLEST_BUFFER = 2_500;

    /** When the receiver asks for credentials. */
    enum Credentials { NEVER, ON_SERVER, ON_CHANNEL }

    /** A handler of this library between the channel and the one that writes down what arrives. */
    enum Guard { NONE, QUEUE, LIMIT, TYPE, CONTENT, REFUSES_PEER, ADMITS_PEER }

    final long seed;
    final SocketType type;
    final boolean spinning;
    /** How long a spinning loop looks before it sleeps. */
    final Duration look;
    final boolean controlData;
    final int maxDescriptors;
    final boolean exact;
    final int maxSize;
    final Credentials credentials;
    final boolean pidFd;
    final boolean passRights;
    /** Netty's read mode for descriptors, in which bytes are discarded. */
    final boolean plainDescriptors;
    /** Between that one and the other, so that of the bytes nothing is certain. */
    final boolean switchesMode;
    final Guard guard;
    /** How many {@link Guard#LIMIT} admits. */
    final int limit;
    final boolean halfClosure;
    final boolean autoClose;
    final boolean autoRead;
    /** 0: the default. */
    final int messagesPerRead;
    /** The size of the buffers that streams are read into; 0: the default. */
    final int readBuffer;
    /** 0: the default. */
    final int writeSpinCount;
    final boolean heapBuffers;
    final boolean smallWaterMark;
    final DatagramQueueFull queueFull;
    final int waitMillis;
    final SocketFilePolicy socketFile;
    /** Whether the receiver connects to the peer. */
    final boolean connects;
    /** How many sockets the peer's connections are distributed over. */
    final int receivers;
    final boolean changesOptions;
    final boolean limitsDescriptors;
    final boolean idles;
    final boolean closes;
    final boolean handsOver;
    /** How many messages are written as soon as there is a connection. */
    final int greetings;
    /** How often a message is answered by one, of 1000. */
    final int replies;
    /** How often handlers do something unexpected, of 1000 reads. */
    final int chaos;
    /** Of the receiver's sockets; 0: the default. */
    final int sendBuffer;
    /** Of datagrams whose senders all have a channel, which cannot tell who has connected. */
    final int connections;
    /** The longest of the peer's messages, about. */
    final int largest;
    final int mostDescriptors;
    /** Many connections that the peer soon closes, with something unread. */
    final boolean shortLives;
    final List<Plan.Operation> operations;

    private final SplittableRandom random;

    /** @param pidFds whether messages can have pidfds here */
    Scenario(long seed, List<SocketType> types, boolean pidFds) {
        this.seed = seed;
        random = new SplittableRandom(seed);
        // Seeds that follow one another begin alike otherwise.
        random.nextLong();
        type = types.get(random.nextInt(types.size()));
        boolean stream = type == SocketType.STREAM;
        spinning = oneIn(10);
        look = seed % 2 == 0 ? Duration.ofNanos(50_000) : SpinningIoHandler.FOREVER;
        controlData = !oneIn(4);
        plainDescriptors = stream && oneIn(12);
        switchesMode = stream && controlData && !plainDescriptors && oneIn(15);
        boolean weak = plainDescriptors || switchesMode;
        maxDescriptors = controlData && !switchesMode && oneIn(3) ? random.nextInt(12) : MAX_DESCRIPTORS;
        exact = stream && oneIn(3);
        maxSize = !stream && oneIn(4) ? 1 + random.nextInt(10_000) : 8 << 20;
        credentials = oneIn(2) ? Credentials.NEVER : oneIn(3) ? Credentials.ON_CHANNEL : Credentials.ON_SERVER;
        pidFd = oneIn(6) && pidFds;
        // The kernel has both options since the same version, or about.
        passRights = !(oneIn(12) && pidFds);
        guard = weak ? Guard.NONE : guard();
        limit = 1 + random.nextInt(20);
        halfClosure = oneIn(2);
        autoClose = !oneIn(8);
        autoRead = !oneIn(5);
        messagesPerRead = oneIn(3) ? 1 + random.nextInt(8) : 0;
        writeSpinCount = oneIn(3) ? 1 + random.nextInt(3) : 0;
        heapBuffers = oneIn(6);
        smallWaterMark = oneIn(4);
        queueFull = DatagramQueueFull.values()[oneIn(2) ? 0 : random.nextInt(3)];
        waitMillis = oneIn(4) ? 1 + random.nextInt(50) : 30_000;
        socketFile = socketFile();
        changesOptions = guard == Guard.NONE && !switchesMode && oneIn(5);
        limitsDescriptors = oneIn(20);
        idles = !spinning && oneIn(6);
        closes = oneIn(3);
        handsOver = guard == Guard.NONE && oneIn(4);
        greetings = oneIn(3) ? random.nextInt(4) : 0;
        replies = oneIn(3) ? 1000 : oneIn(2) ? random.nextInt(300) : 0;
        chaos = oneIn(5) ? 0 : 500 >> random.nextInt(5);
        sendBuffer = oneIn(2) ? SMALLEST_BUFFER + random.nextInt(10_000) : 0;
        shortLives = type != SocketType.DATAGRAM && oneIn(8);
        connections = shortLives ? 2 + random.nextInt(16) : 1 + random.nextInt(4);
        connects = (type != SocketType.DATAGRAM || connections == 1) && oneIn(4);
        receivers = connects || oneIn(2) ? 1 : 1 + random.nextInt(3);
        // Those modes read byte by byte.
        largest = weak ? 300 : oneIn(12) && !shortLives ? LONGEST
                : oneIn(2) ? 200_000 : oneIn(2) ? 5_000 : 40;
        readBuffer = largest <= 5_000 && oneIn(4) ? 1 + random.nextInt(100) : 0;
        mostDescriptors = oneIn(5) ? 0 : oneIn(8) ? MAX_DESCRIPTORS + 1 : oneIn(2) ? 20 : 3;
        operations = new Plan(this, random, pidFds).operations;
    }

    /** The same case with some of its operations only. */
    Scenario(Scenario other, List<SocketType> types, boolean pidFds, BitSet kept) {
        this(other.seed, types, pidFds);
        operations.removeIf(operation -> !kept.get(operation.number()));
    }

    private Guard guard() {
        if (!oneIn(4)) {
            return Guard.NONE;
        }
        Guard drawn = Guard.values()[random.nextInt(Guard.values().length)];
        boolean fits = switch (drawn) {
            case QUEUE -> type != SocketType.DATAGRAM && controlData;
            case LIMIT, TYPE, CONTENT, REFUSES_PEER, ADMITS_PEER -> type != SocketType.DATAGRAM;
            case NONE -> true;
        };
        return fits ? drawn : Guard.NONE;
    }

    private SocketFilePolicy socketFile() {
        SocketFilePolicy policy = switch (random.nextInt(type == SocketType.DATAGRAM ? 3 : 4)) {
            case 0 -> SocketFilePolicy.replaceStale();
            case 1 -> SocketFilePolicy.failIfExists();
            case 2 -> SocketFilePolicy.takeOver();
            default -> SocketFilePolicy.replaceAtomically();
        };
        if (oneIn(2)) {
            policy = policy.withMode(oneIn(2) ? "rwx--x--x" : "rw-rw-rw-");
        }
        return oneIn(2) ? policy.keepOnClose() : policy;
    }

    private boolean oneIn(int count) {
        return random.nextInt(count) == 0;
    }

    /** Whether it is about the whole process. */
    boolean runsAlone() {
        return limitsDescriptors;
    }

    /** Whether messages come with control data. */
    boolean hasControlData() {
        return controlData || pidFd || credentials != Credentials.NEVER || maxDescriptors != MAX_DESCRIPTORS;
    }

    /** Whether descriptors are closed instead of delivered. */
    boolean discardsDescriptors() {
        return !controlData || maxDescriptors == 0;
    }

    /** Whether nothing but its closing ends the connection, with what is unread then. */
    boolean closesUnread(int connection) {
        String ends = "(shutdown|drain) " + connection + "( .*)?|send " + connection + " .* [^ ]*[yw][^ ]*"
                + "|settle 1|interrupt .*";
        return operations.stream().noneMatch(operation -> operation.text().matches(ends));
    }

    /** The size up to which a record fits into the send buffer of the receiver's socket. */
    int surelyFits() {
        return changesOptions ? SMALLEST_BUFFER : sendBuffer == 0 ? 100_000 : sendBuffer;
    }

    /** What is sent out of band is in it once. */
    static byte[] block() {
        byte[] block = new byte[BLOCK];
        new Random(1).nextBytes(block);
        for (int i = 0; i < BLOCK; i++) {
            if (block[i] == OUT_OF_BAND) {
                block[i] = 0;
            }
        }
        block[OUT_OF_BAND_OFFSET] = OUT_OF_BAND;
        block[ZERO_OFFSET] = 0;
        return block;
    }

    @Override
    public String toString() {
        return type + (connects ? ", the receiver connects" : ", " + receivers + " receivers")
                + (spinning ? ", loop looks for " + look : "") + ", RECEIVE_CONTROL_DATA " + controlData
                + ", MAX_FILE_DESCRIPTORS_PER_MESSAGE " + maxDescriptors + ", EXACT_DESCRIPTOR_POSITIONS " + exact
                + ", MAX_MESSAGE_SIZE " + maxSize + ", SO_PASSCRED " + credentials
                + ", SO_PASSPIDFD " + pidFd + ", SO_PASSRIGHTS " + passRights
                + (plainDescriptors ? ", FILE_DESCRIPTORS read mode" : "") + (switchesMode ? ", read mode changes" : "")
                + (guard == Guard.NONE ? "" : ", handler " + guard)
                + ", ALLOW_HALF_CLOSURE " + halfClosure + ", AUTO_CLOSE " + autoClose
                + ", AUTO_READ " + autoRead + ", messages per read " + messagesPerRead + ", read buffer " + readBuffer
                + ", WRITE_SPIN_COUNT " + writeSpinCount + (heapBuffers ? ", heap buffers" : "")
                + (type == SocketType.DATAGRAM ? ", DATAGRAM_QUEUE_FULL " + queueFull + " " + waitMillis : "")
                + ", SOCKET_FILE " + socketFile
                + (changesOptions ? ", options change" : "") + (closes ? ", handlers close" : "")
                + (handsOver ? ", hand over" : "") + ", " + greetings + " greetings, replies " + replies
                + ", SO_SNDBUF " + sendBuffer + ", chaos " + chaos + " of 1000 reads, " + connections + " connections"
                + (shortLives ? " with short lives" : "");
    }
}
