package io.github.nettyunix.internal;

import io.github.nettyunix.internal.socket.UseCount;

import java.lang.invoke.MethodHandles;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;

/**
 * Access of the internals to members of public values that are not part of the public API. The class of a value
 * provides it when it is initialized.
 */
public final class ValueAccess {
    /**
     * Access to addresses.
     *
     * @param name returns the bytes of the name themselves, which must not be changed
     * @param ofName returns the address that has a name; the array is not copied
     */
    public record OfAddress<A>(Function<A, byte[]> name, Function<byte[], A> ofName) {
    }

    /**
     * Access to descriptors that have an owner.
     *
     * @param uses counts the system calls in progress
     * @param adopt returns the owner of a number
     * @param isReceived whether a peer has chosen what the descriptor is of
     * @param closeNumber closes the number, without blocking
     * @param releaseNumber drops a reference; true if that was the last one and the caller must close the number
     * @param closeElsewhere closes the number on another thread
     */
    public record OfDescriptor<D>(UseCount<D> uses, Adoption<D> adopt, Predicate<D> isReceived,
            ToIntFunction<D> closeNumber, Predicate<D> releaseNumber, Consumer<D> closeElsewhere) {
    }

    /** Makes the owner of a descriptor. */
    public interface Adoption<D> {
        /**
         * Makes the owner.
         *
         * @param received whether a peer has sent it, so that closing it may block
         */
        D adopt(int fd, boolean received);
    }

    private static volatile OfAddress<?> ofAddress;
    private static volatile OfDescriptor<?> ofDescriptor;

    private ValueAccess() {
    }

    public static void provide(OfAddress<?> access) {
        ofAddress = access;
    }

    public static void provide(OfDescriptor<?> access) {
        ofDescriptor = access;
    }

    /** Returns access to addresses, which are of this class. */
    @SuppressWarnings("unchecked")
    public static <A> OfAddress<A> ofAddress(Class<A> type) {
        initialize(type);
        return (OfAddress<A>) ofAddress;
    }

    /** Returns access to descriptors, which are of this class. */
    @SuppressWarnings("unchecked")
    public static <D> OfDescriptor<D> ofDescriptor(Class<D> type) {
        initialize(type);
        return (OfDescriptor<D>) ofDescriptor;
    }

    private static void initialize(Class<?> type) {
        try {
            MethodHandles.lookup().ensureInitialized(type);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
