package io.github.nettyunix.testing;

import io.github.nettyunix.internal.readiness.SpinningIoHandler;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.kqueue.KQueueIoHandler;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;

/** Netty's own kqueue loop on Linux; the kernel's part is emulated by {@code emulated_kqueue.c}. */
final class EmulatedKQueue {
    static {
        // Loads the native methods of io.netty.channel.unix, which both loops need.
        Epoll.ensureAvailability();
        try {
            // Netty finds its native methods already loaded.
            System.load(Path.of(EmulatedKQueue.class.getResource("/libemulated_kqueue.so").toURI()).toString());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private EmulatedKQueue() {
    }

    static IoHandlerFactory newIoHandlerFactory() {
        return KQueueIoHandler.newFactory();
    }

    static IoHandlerFactory newSpinningIoHandlerFactory(Duration look) {
        return SpinningIoHandler.newFactory(KQueueIoHandler::newFactory, look);
    }
}
