package io.github.nettyunix.fire;

import io.github.nettyunix.SocketType;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/** What one case consists of, all of it drawn from its seed: the receiver's options and the peer's operations. */
final class Scenario {
    /** The peer sends parts of {@link #block}, which is a little longer than the longest message. */
    static final int LONGEST = 4 << 20;
    static final int BLOCK = LONGEST + (64 << 10);

    private static final byte OUT_OF_BAND = -1;
    private static final int MSG_OOB = 0x1;
    private static final int MSG_EOR = 0x80;
    private static final String KINDS = "mmmmpPscloeEty";

    /** A message that the peer tries to send; {@code uid} is -1 unless it pretends to be somebody else. */
    record Send(int connection, int offset, int length, int descriptors, boolean oob, int uid, int gid) {
    }

    /** An operation of the peer, as the peer reads it. */
    record Operation(int number, String text, Send send) {
        @Override
        public String toString() {
            return number + " " + text;
        }
    }

    /** When the receiver asks for credentials. */
    enum Credentials { NEVER, ON_SERVER, ON_CHANNEL }

    final long seed;
    final SocketType type;
    final boolean spinning;
    final boolean controlData;
    final int maxDescriptors;
    final boolean exact;
    final int maxSize;
    final Credentials credentials;
    final boolean pidFd;
    /** Netty's read mode for descriptors, in which bytes are discarded. */
    final boolean plainDescriptors;
    final boolean halfClosure;
    final boolean autoRead;
    /** 0: the default. */
    final int messagesPerRead;
    /** The size of the buffers that streams are read into; 0: the default. */
    final int readBuffer;
    final boolean changesOptions;
    final boolean limitsDescriptors;
    final boolean idles;
    final boolean closes;
    final boolean handsOver;
    /** How often handlers do something unexpected, of 1000 reads. */
    final int chaos;
    /** Of the receiver's sockets; 0: the default. */
    final int sendBuffer;
    final int connections;
    final List<Operation> operations = new ArrayList<>();

    private final SplittableRandom random;
    private final int largest;
    private final int mostDescriptors;

    /** @param pidFds whether messages can have pidfds here */
    Scenario(long seed, List<SocketType> types, boolean pidFds) {
        this.seed = seed;
        random = new SplittableRandom(seed);
        // Seeds that follow one another begin alike otherwise.
        random.nextLong();
        type = types.get(random.nextInt(types.size()));
        spinning = oneIn(6);
        controlData = !oneIn(4);
        maxDescriptors = controlData && oneIn(3) ? random.nextInt(12) : 253;
        exact = type == SocketType.STREAM && oneIn(3);
        maxSize = type != SocketType.STREAM && oneIn(4) ? 1 + random.nextInt(10_000) : 8 << 20;
        credentials = oneIn(2) ? Credentials.NEVER : oneIn(3) ? Credentials.ON_CHANNEL : Credentials.ON_SERVER;
        pidFd = oneIn(6) && pidFds;
        plainDescriptors = type == SocketType.STREAM && oneIn(10);
        halfClosure = oneIn(2);
        autoRead = !oneIn(5);
        messagesPerRead = oneIn(3) ? 1 + random.nextInt(8) : 0;
        changesOptions = oneIn(5);
        limitsDescriptors = oneIn(8);
        idles = oneIn(70);
        closes = oneIn(3);
        chaos = oneIn(5) ? 0 : 500 >> random.nextInt(5);
        sendBuffer = oneIn(2) ? 2_500 + random.nextInt(10_000) : 0;
        connections = 1 + random.nextInt(4);
        handsOver = oneIn(4);
        // That mode reads byte by byte.
        largest = plainDescriptors ? 300 : oneIn(10) ? LONGEST : oneIn(2) ? 200_000 : oneIn(2) ? 5_000 : 40;
        readBuffer = largest <= 5_000 && oneIn(4) ? 1 + random.nextInt(100) : 0;
        mostDescriptors = oneIn(5) ? 0 : oneIn(8) ? 254 : oneIn(2) ? 20 : 3;
        plan();
    }

    /** The same case with some of its operations only. */
    Scenario(Scenario other, List<SocketType> types, boolean pidFds, BitSet kept) {
        this(other.seed, types, pidFds);
        operations.removeIf(operation -> !kept.get(operation.number()));
    }

    /** Whether it is about the whole process, or takes too much of it. */
    boolean runsAlone() {
        return spinning || limitsDescriptors || idles;
    }

    /** Whether nothing but its closing ends the connection, with what is unread then. */
    boolean closesUnread(int connection) {
        String ends = "(shutdown|drain) " + connection + "( .*)?|send " + connection + " .* [^ ]*y[^ ]*";
        return operations.stream().noneMatch(operation -> operation.text().matches(ends));
    }

    /** The size up to which a record fits into the send buffer of the receiver's socket. */
    int surelyFits() {
        return sendBuffer == 0 ? 100_000 : sendBuffer;
    }

    /** Its last byte is what is sent out of band, and different from all others. */
    static byte[] block() {
        byte[] block = new byte[BLOCK];
        new Random(1).nextBytes(block);
        for (int i = 0; i < BLOCK; i++) {
            if (block[i] == OUT_OF_BAND) {
                block[i] = 0;
            }
        }
        block[BLOCK - 1] = OUT_OF_BAND;
        return block;
    }

    private boolean oneIn(int count) {
        return random.nextInt(count) == 0;
    }

    private void plan() {
        for (int connection = 0; connection < connections; connection++) {
            int sndbuf = largest == LONGEST ? 2 * LONGEST : oneIn(3) ? 5_000 + random.nextInt(50_000) : 0;
            add("open " + connection + " " + sndbuf + " " + (oneIn(4) ? 3_000 : 0));
        }
        int count = largest == LONGEST ? 10 : 1 << random.nextInt(7);
        for (int i = 0; i < count; i++) {
            step(random.nextInt(connections));
        }
        if (idles) {
            add("sleep 500000");
        }
        for (int connection = 0; connection < connections; connection++) {
            if (oneIn(8)) {
                add("kill");
            }
            if (!oneIn(3)) {
                add("drain " + connection);
            }
            if (!oneIn(3)) {
                add("close " + connection);
            }
        }
    }

    private void step(int connection) {
        switch (random.nextInt(60)) {
            case 0 -> add("shutdown " + connection + " " + (oneIn(4) ? random.nextInt(3) : 1));
            case 1 -> add("sleep " + random.nextInt(5_000));
            case 2 -> add("stop");
            case 3 -> {
                if (oneIn(8)) {
                    add("alarm " + (1 + random.nextInt(5_000)));
                }
            }
            case 4 -> {
                if (oneIn(10)) {
                    add("close " + connection);
                }
            }
            case 5 -> {
                if (limitsDescriptors) {
                    add("limit " + random.nextInt(40));
                }
            }
            case 6, 7, 8 -> add("read " + connection + " " + (1 + random.nextInt(20)));
            case 9, 10, 11, 12 -> burst(connection);
            case 13, 14 -> outOfBand(connection);
            default -> send(connection, length(largest), descriptors());
        }
    }

    private void burst(int connection) {
        int count = random.nextInt(100);
        int longest = Math.min(largest, 300);
        boolean withDescriptors = oneIn(3);
        for (int i = 0; i < count; i++) {
            send(connection, length(longest), withDescriptors && mostDescriptors > 0 ? random.nextInt(3) : 0);
        }
    }

    private int length(int longest) {
        return oneIn(8) ? 0 : oneIn(2) ? random.nextInt(Math.min(longest, 64) + 1) : random.nextInt(longest + 1);
    }

    private int descriptors() {
        return mostDescriptors == 0 || oneIn(2) ? 0 : random.nextInt(mostDescriptors + 1);
    }

    private void send(int connection, int length, int descriptors) {
        StringBuilder kinds = new StringBuilder();
        for (int i = 0; i < descriptors; i++) {
            kinds.append(KINDS.charAt(random.nextInt(KINDS.length())));
        }
        boolean pretends = oneIn(20);
        int uid = pretends ? random.nextInt(5_000) : -1;
        int offset = random.nextInt(BLOCK - length);
        Send send = new Send(connection, offset, length, descriptors, false, uid, uid + 1);
        add(send, oneIn(5) ? MSG_EOR : 0, kinds.length() == 0 ? "-" : kinds.toString());
    }

    /** Only streams have them, and only if another one follows may such a byte become one of the stream. */
    private void outOfBand(int connection) {
        add(new Send(connection, BLOCK - 1, 1, 0, true, -1, -1), MSG_OOB, "-");
    }

    private void add(Send send, int flags, String kinds) {
        String credentials = send.uid >= 0 ? send.uid + "," + send.gid
                : oneIn(200) ? "garbage" : oneIn(100) ? "ignored" : "-";
        String text = "send " + send.connection + " " + send.offset + " " + send.length + " " + flags + " "
                + credentials + " " + kinds;
        operations.add(new Operation(operations.size(), text, send));
    }

    private void add(String text) {
        operations.add(new Operation(operations.size(), text, null));
    }

    @Override
    public String toString() {
        return type + (spinning ? ", spinning loop" : "") + ", RECEIVE_CONTROL_DATA " + controlData
                + ", MAX_FILE_DESCRIPTORS_PER_MESSAGE " + maxDescriptors + ", EXACT_DESCRIPTOR_POSITIONS " + exact
                + ", MAX_MESSAGE_SIZE " + maxSize + ", SO_PASSCRED " + credentials
                + ", SO_PASSPIDFD " + pidFd + (plainDescriptors ? ", FILE_DESCRIPTORS read mode" : "")
                + ", ALLOW_HALF_CLOSURE " + halfClosure
                + ", AUTO_READ " + autoRead + ", messages per read " + messagesPerRead + ", read buffer " + readBuffer
                + (changesOptions ? ", options change" : "") + (closes ? ", handlers close" : "")
                + (handsOver ? ", hand over" : "")
                + ", SO_SNDBUF " + sendBuffer + ", chaos " + chaos + " of 1000 reads, " + connections + " connections";
    }
}
