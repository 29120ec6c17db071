package io.github.nettyunix.api;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Loops;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

/** What is reported where the platform lacks a socket type. */
class MissingTypeTest {
    @Test
    void onlySeqpacketIsMissingAndOnlyOnMacos() {
        for (SocketType type : SocketType.values()) {
            assertEquals(type != SocketType.SEQPACKET || !Loops.selector().equals("kqueue-macos"),
                    UnixTransport.supports(type));
        }
    }

    @TestFactory
    Stream<DynamicTest> aMissingTypeIsRefusedWithItsName() {
        return Stream.of(SocketType.values()).filter(type -> !UnixTransport.supports(type)).flatMap(type -> {
            Evidence.of("itself", "a " + type + " socket is refused where there are none");
            return Stream.of(
                    refused("socket " + type, () -> Channels.clientClass(type).getDeclaredConstructor().newInstance()),
                    refused("socket " + type, () -> Channels.serverClass(type).getDeclaredConstructor().newInstance()),
                    refused("socketpair " + type, () -> Channels.pair(type)),
                    refused("socket " + type, () -> {
                        throw Channels.client(type, new ChannelInboundHandlerAdapter())
                                .connect(UnixSocketAddress.ofAbstract("x")).await().cause();
                    }));
        });
    }

    private static DynamicTest refused(String what, Executable creation) {
        return dynamicTest(what, () -> {
            Descriptors before = Descriptors.now();
            Throwable failure = assertThrows(Throwable.class, creation);
            while (!(failure instanceof UnixSocketError)) {
                failure = failure.getCause();
            }
            assertInstanceOf(ChannelException.class, failure);
            assertTrue(failure.getMessage().startsWith(what + ": EPROTONOSUPPORT ("), failure.getMessage());
            before.assertUnchanged();
        });
    }
}
