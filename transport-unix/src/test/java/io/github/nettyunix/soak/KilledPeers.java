package io.github.nettyunix.soak;

import io.github.nettyunix.testing.Python;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Processes that send to a server of ours, and read its answers, are killed in the middle of it (SIGKILL). Whatever
 * they had sent arrives, and every connection ends.
 */
final class KilledPeers implements Run {
    private static final int TOGETHER = 8;
    private static final int MOST_MESSAGES = 60;
    private static final int LONGEST_PAUSE_MICROS = 5_000;
    private static final int SIGKILL = 9;

    private final Kind kind;

    KilledPeers(Kind kind) {
        this.kind = kind;
    }

    private static final class Peer extends Incoming {
        final int lastMessage = ThreadLocalRandom.current().nextInt(1, MOST_MESSAGES);
        boolean killed;
        /** To be read when the peer is dead, or null. */
        volatile Channel paused;
        volatile boolean ended;

        void kill() {
            ProcessHandle.of(pid()).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    /**
     * Kills each peer when it has sent a number of messages, and goes on answering what comes nevertheless. Of every
     * other connection, what the peer still sends is only read when it is dead.
     */
    private static final class Killer extends Answers {
        private final Map<Integer, Peer> peers;
        private final boolean pauses;
        private Channel channel;
        private Peer connected;

        /** @param pauses whether the channel is that of one peer only, and so may be paused */
        Killer(Traffic traffic, Map<Integer, Peer> peers, boolean pauses) {
            super(traffic);
            this.peers = peers;
            this.pauses = pauses;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            channel = ctx.channel();
        }

        @Override
        Incoming newPeer() {
            connected = new Peer();
            return connected;
        }

        @Override
        void received(Incoming incoming) {
            Peer peer = (Peer) incoming;
            if (!peer.killed && peer.count() >= peer.lastMessage) {
                peer.killed = true;
                peers.put(peer.index(), peer);
                if (pauses && peer.lastMessage % 2 == 0) {
                    channel.config().setAutoRead(false);
                    peer.paused = channel;
                    int micros = ThreadLocalRandom.current().nextInt(LONGEST_PAUSE_MICROS);
                    channel.eventLoop().schedule(peer::kill, micros, TimeUnit.MICROSECONDS);
                } else {
                    peer.kill();
                }
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (connected != null) {
                connected.ended = true;
            }
        }
    }

    @Override
    public String run(int count) throws Exception {
        Map<Integer, Peer> peers = new ConcurrentHashMap<>();
        try (Traffic traffic = new Traffic(true)) {
            Channel server = traffic.bind(kind, traffic.address(kind),
                    () -> new Killer(traffic, peers, kind != Kind.DATAGRAM));
            Python python = traffic.start("be_killed", kind, Traffic.hex(traffic.address(kind)), count, TOGETHER);
            int[] certain = new int[count];
            for (int i = 0; i < count; i++) {
                String[] line = python.line().split(" ");
                int index = Integer.parseInt(line[0]);
                certain[index] = Integer.parseInt(line[1]);
                assertEquals(SIGKILL, Integer.parseInt(line[2]), "the signal that has ended the peer");
                Peer peer = peers.get(index);
                if (peer.paused != null) {
                    peer.paused.config().setAutoRead(true);
                }
                traffic.await(() -> peer.count() >= certain[index], "messages of a killed peer are lost");
                if (kind != Kind.DATAGRAM) {
                    traffic.await(() -> peer.ended, "the connection of a killed peer has not ended");
                }
            }
            python.succeed();
            server.close().sync();
            for (Map.Entry<Integer, Peer> peer : peers.entrySet()) {
                // Of the last one it may not know that it was sent.
                int more = peer.getValue().count() - certain[peer.getKey()];
                assertTrue(more == 0 || more == 1, () -> more + " more messages than were sent");
            }
            traffic.end();
            return count + " killed, " + traffic.received.sum() + " messages received";
        }
    }
}
