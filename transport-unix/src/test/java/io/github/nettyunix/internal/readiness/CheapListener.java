package io.github.nettyunix.internal.readiness;

/** A listener that a spinning loop polls, as it polls the channels of this transport that have a socket only. */
interface CheapListener extends Readiness.Listener, Readiness.Poller {
    @Override
    default Readiness.Poller poller() {
        return this;
    }

    @Override
    default boolean poll() {
        return readReady();
    }

    @Override
    default boolean isPollingCheap() {
        return true;
    }

    @Override
    default boolean isPollingFree() {
        return false;
    }

    @Override
    default boolean canSleep() {
        return true;
    }
}
