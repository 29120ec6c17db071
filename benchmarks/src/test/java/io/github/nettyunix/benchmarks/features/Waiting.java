package io.github.nettyunix.benchmarks.features;

import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;

/** More clients than a server's backlog has room for, whose connect() does not fail. */
final class Waiting {
    private static final int CLIENTS = 10;
    /** With a backlog of 1. */
    private static final int BEFORE_ACCEPT = 2;

    private Waiting() {
    }

    /** An operation that may fail. */
    interface Accept {
        void accept() throws IOException;
    }

    /** Connects clients one by one. The server accepts them when the next one has to wait. */
    static void clients(Callable<? extends Closeable> connect, Accept accept) throws Exception {
        Semaphore connected = new Semaphore(0);
        CompletableFuture<Void> clients = CompletableFuture.runAsync(() -> {
            for (int i = 0; i < CLIENTS; i++) {
                try (Closeable client = connect.call()) {
                    connected.release();
                } catch (Exception e) {
                    throw new CompletionException(e);
                }
            }
        });
        connected.acquire(BEFORE_ACCEPT);
        for (int i = 0; i < CLIENTS; i++) {
            accept.accept();
        }
        clients.get();
    }
}
