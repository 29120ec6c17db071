package io.github.nettyunix.testing;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixMessage;
import io.netty.buffer.ByteBuf;
import io.netty.channel.unix.DomainDatagramPacket;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Arrays;
import java.util.stream.Stream;

/**
 * How a channel and a peer in another process are connected.
 *
 * @param isAbstract whether the server has an abstract name, not a socket file
 * @param isServing whether the channel was accepted by a server, not connected to one; a datagram channel that serves
 *        is bound only, one that does not is bound and connected
 */
public record Setup(SocketType type, boolean isAbstract, boolean isServing) {
    private static final String ALL = "io.github.nettyunix.testing.Setup#";

    /**
     * Runs a test once per socket type, kind of name and role. On an emulated selector, which sees no names, each role
     * has one kind of name.
     */
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @ParameterizedTest(name = "{0}")
    @MethodSource(ALL + "all")
    public @interface Every {
    }

    /** A test of connections. */
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @ParameterizedTest(name = "{0}")
    @MethodSource(ALL + "connections")
    public @interface Connections {
    }

    /** A slow test: runs once per socket type and role. */
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @ParameterizedTest(name = "{0}")
    @MethodSource(ALL + "few")
    public @interface Few {
    }

    /** A test of streams. */
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @ParameterizedTest(name = "{0}", allowZeroInvocations = true)
    @MethodSource(ALL + "streams")
    public @interface Streams {
    }

    public static Stream<Setup> all() {
        return setups().filter(Setup::applies);
    }

    private static Stream<Setup> setups() {
        return Arrays.stream(SocketType.values()).flatMap(type -> Stream.of(
                new Setup(type, false, false), new Setup(type, false, true),
                new Setup(type, true, false), new Setup(type, true, true)))
                .filter(setup -> Loops.isDefault() || setup.isAbstract == setup.isServing);
    }

    public static Stream<Setup> connections() {
        return setups().filter(setup -> setup.type != SocketType.DATAGRAM).filter(Setup::applies);
    }

    public static Stream<Setup> records() {
        return setups().filter(setup -> setup.type != SocketType.STREAM).filter(Setup::applies);
    }

    public static Stream<Setup> streams() {
        return setups().filter(setup -> setup.type == SocketType.STREAM).filter(Setup::applies);
    }

    public static Stream<Setup> few() {
        return setups().filter(setup -> setup.isAbstract == setup.isServing).filter(Setup::applies);
    }

    private boolean applies() {
        return Types.apply(type);
    }

    /** Whether every message has to name its recipient. */
    public boolean isUnconnected() {
        return type == SocketType.DATAGRAM && isServing;
    }

    /** The class of what a channel reads. */
    public Class<?> inbound(boolean controlData) {
        return type == SocketType.DATAGRAM ? controlData ? UnixDatagramPacket.class : DomainDatagramPacket.class
                : controlData ? UnixMessage.class : ByteBuf.class;
    }

    @Override
    public String toString() {
        return type + (isAbstract ? ", abstract name, " : ", socket file, ") + (isServing ? "serving" : "connecting");
    }
}
