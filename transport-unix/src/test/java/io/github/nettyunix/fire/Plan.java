package io.github.nettyunix.fire;

import io.github.nettyunix.SocketType;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** What the peer does in a case: its operations in order. */
final class Plan {
    private static final int MSG_OOB = 0x1;
    private static final int MSG_EOR = 0x80;
    private static final int SIGKILL = 9;
    private static final int SIGSTOP = 19;
    /** See {@code descriptor} in hostile.py. */
    private static final String KINDS = "mmmmpPscloeEtywDnu";

    /**
     * A message that the peer tries to send, perhaps several times; {@code uid} is -1 unless it pretends to be somebody
     * else.
     */
    record Send(int connection, int offset, int length, int descriptors, int count, boolean oob, int uid, int gid) {
    }

    /** An operation of the peer, as the peer reads it. */
    record Operation(int number, String text, Send send) {
        @Override
        public String toString() {
            return number + " " + text;
        }
    }

    final List<Operation> operations = new ArrayList<>();

    private final Scenario scenario;
    private final SplittableRandom random;
    private final boolean passRights;

    /** @param passRights whether sockets can refuse descriptors here */
    Plan(Scenario scenario, SplittableRandom random, boolean passRights) {
        this.scenario = scenario;
        this.random = random;
        this.passRights = passRights;
        if (scenario.connects && scenario.type != SocketType.DATAGRAM) {
            add("listen " + (oneIn(2) ? 0 : 100));
        }
        if (scenario.shortLives) {
            for (int connection = 0; connection < scenario.connections; connection++) {
                shortLife(connection);
            }
        } else {
            longLives();
        }
    }

    private boolean oneIn(int count) {
        return random.nextInt(count) == 0;
    }

    private void open(int connection) {
        int sndbuf = scenario.largest == Scenario.LONGEST ? 2 * Scenario.LONGEST
                : oneIn(3) ? 2_000 + random.nextInt(50_000) : 0;
        // Without credentials an empty record looks like the end to the peer.
        boolean passCred = scenario.type != SocketType.STREAM || oneIn(3);
        boolean bound = scenario.type == SocketType.DATAGRAM || !scenario.connects && oneIn(4);
        add("open " + connection + " " + connection % scenario.receivers + " " + sndbuf + " " + (oneIn(4) ? 2_000 : 0)
                + " " + (passCred ? 1 : 0) + " " + (bound ? 1 : 0));
    }

    private void longLives() {
        for (int connection = 0; connection < scenario.connections; connection++) {
            open(connection);
            if (passRights && oneIn(15)) {
                add("refuse " + connection);
            }
        }
        boolean settles = oneIn(3);
        int count = scenario.largest == Scenario.LONGEST ? 10 : 1 << random.nextInt(7);
        for (int i = 0; i < count; i++) {
            step(random.nextInt(scenario.connections));
            if (settles && oneIn(6)) {
                settle();
            }
        }
        if (settles || oneIn(3)) {
            settle();
        }
        if (scenario.idles) {
            add("idle");
        }
        for (int connection = 0; connection < scenario.connections; connection++) {
            if (oneIn(8)) {
                add("kill");
            }
            if (oneIn(6)) {
                volley(connection);
                continue;
            }
            if (!oneIn(3)) {
                add("drain " + connection);
            }
            if (!oneIn(3)) {
                add("close " + connection);
            }
        }
        if (scenario.idles) {
            add("idle");
        }
    }

    private void settle() {
        add("settle " + random.nextInt(2));
    }

    private void shortLife(int connection) {
        open(connection);
        for (int i = random.nextInt(6); i > 0; i--) {
            step(connection);
        }
        if (oneIn(2)) {
            add("await " + connection);
        }
        switch (random.nextInt(4)) {
            case 0 -> add("close " + connection);
            case 1 -> add("drain " + connection);
            default -> volley(connection);
        }
    }

    private void step(int connection) {
        switch (random.nextInt(64)) {
            case 0 -> add("shutdown " + connection + " " + (oneIn(4) ? random.nextInt(3) : 1));
            case 1 -> add("sleep " + random.nextInt(5_000));
            case 2 -> add("stop");
            case 3 -> {
                if (oneIn(8)) {
                    add("interrupt " + (oneIn(2) ? SIGKILL : SIGSTOP) + " " + (1 + random.nextInt(5_000)));
                }
            }
            case 4 -> {
                if (oneIn(10)) {
                    add("close " + connection);
                }
            }
            case 5 -> {
                if (scenario.limitsDescriptors) {
                    add("limit " + random.nextInt(40));
                }
            }
            case 6, 7, 8 -> add("read " + connection + " " + (1 + random.nextInt(20)));
            case 9, 10 -> add("trickle " + connection + " " + (1 + random.nextInt(20)) + " "
                    + (1 + random.nextInt(3_000)) + " " + random.nextInt(500));
            case 11, 12, 13, 14 -> burst(connection);
            case 15, 16 -> outOfBand(connection);
            case 17 -> add("await " + connection);
            case 18 -> {
                if (scenario.idles) {
                    add("idle");
                }
            }
            default -> send(connection, length(scenario.largest), descriptors());
        }
    }

    private void burst(int connection) {
        int count = random.nextInt(100);
        int longest = Math.min(scenario.largest, 300);
        boolean withDescriptors = oneIn(3);
        for (int i = 0; i < count; i++) {
            send(connection, length(longest), withDescriptors && scenario.mostDescriptors > 0 ? random.nextInt(3) : 0);
        }
    }

    private void volley(int connection) {
        int length = 1 + random.nextInt(Math.min(scenario.largest, 100));
        int descriptors = scenario.mostDescriptors > 0 && oneIn(3) ? 1 : 0;
        int count = 1 + random.nextInt(30);
        int offset = random.nextInt(Scenario.ZERO_OFFSET - length);
        add(new Send(connection, offset, length, descriptors, count, false, -1, -1), "volley " + connection + " "
                + offset + " " + length + " " + count + " " + (descriptors == 0 ? "-" : "m"));
    }

    private int length(int longest) {
        return oneIn(8) ? 0 : oneIn(2) ? random.nextInt(Math.min(longest, 64) + 1) : random.nextInt(longest + 1);
    }

    private int descriptors() {
        return scenario.mostDescriptors == 0 || oneIn(2) ? 0 : random.nextInt(scenario.mostDescriptors + 1);
    }

    private void send(int connection, int length, int descriptors) {
        StringBuilder kinds = new StringBuilder();
        for (int i = 0; i < descriptors; i++) {
            kinds.append(KINDS.charAt(random.nextInt(KINDS.length())));
        }
        boolean pretends = oneIn(20);
        int uid = pretends ? random.nextInt(5_000) : -1;
        int offset = random.nextInt(Scenario.ZERO_OFFSET - length);
        Send send = new Send(connection, offset, length, descriptors, 1, false, uid, uid + 1);
        addSend(send, oneIn(5) ? MSG_EOR : 0, kinds.length() == 0 ? "-" : kinds.toString());
    }

    /** Only streams have them, and only if another one follows may such a byte become one of the stream. */
    private void outOfBand(int connection) {
        addSend(new Send(connection, Scenario.OUT_OF_BAND_OFFSET, 1, 0, 1, true, -1, -1), MSG_OOB, "-");
    }

    private void addSend(Send send, int flags, String kinds) {
        String credentials = send.uid >= 0 ? send.uid + "," + send.gid
                : oneIn(200) ? "garbage" : oneIn(100) ? "ignored" : "-";
        add(send, "send " + send.connection + " " + send.offset + " " + send.length + " " + flags + " " + credentials
                + " " + kinds);
    }

    private void add(Send send, String text) {
        operations.add(new Operation(operations.size(), text, send));
    }

    private void add(String text) {
        add(null, text);
    }
}
