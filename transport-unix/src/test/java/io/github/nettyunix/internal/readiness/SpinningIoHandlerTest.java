package io.github.nettyunix.internal.readiness;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoRegistration;
import io.netty.channel.SelectStrategy;
import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.Ticker;
import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** When a loop that looks before it sleeps goes to sleep. */
class SpinningIoHandlerTest {
    private static final long LOOK = 100;

    private final MockTicker ticker = Ticker.newMockTicker();
    private final IoHandler handler = SpinningIoHandler.newFactory((maxEvents, strategies) -> executor -> {
        SelectStrategy strategy = strategies.newSelectStrategy();
        return new Selector() {
            @Override
            public int run(IoHandlerContext context) {
                try {
                    int result = strategy.calculateStrategy(() -> events, !context.canBlock());
                    slept = result == SelectStrategy.SELECT;
                    return slept ? events : result;
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        };
    }, LOOK, ticker).newHandler(null);
    private int events;
    private boolean tasks;
    private boolean slept;

    private abstract static class Selector implements IoHandler {
        @Override
        public IoRegistration register(IoHandle handle) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void wakeup() {
        }

        @Override
        public boolean isCompatible(Class<? extends IoHandle> handleType) {
            return true;
        }
    }

    /** Runs the loop once, and returns whether it has slept. */
    private boolean sleeps() {
        handler.run(new IoHandlerContext() {
            @Override
            public boolean canBlock() {
                return !tasks;
            }

            @Override
            public long delayNanos(long currentTimeNanos) {
                return 0;
            }

            @Override
            public long deadlineNanos() {
                return -1;
            }
        });
        return slept;
    }

    private void pass(long nanos) {
        ticker.advance(nanos, TimeUnit.NANOSECONDS);
    }

    @Test
    void sleepsWhenNothingHasHappenedForTheGivenTime() {
        assertFalse(sleeps());
        pass(LOOK - 1);
        assertFalse(sleeps());
        pass(1);
        assertTrue(sleeps());
        assertTrue(sleeps());
    }

    @Test
    void anEventBeginsTheTimeAgain() {
        pass(LOOK);
        events = 1;
        assertTrue(sleeps());
        events = 0;
        pass(LOOK - 1);
        assertFalse(sleeps());
        events = 1;
        assertFalse(sleeps());
        events = 0;
        pass(LOOK - 1);
        assertFalse(sleeps());
        pass(1);
        assertTrue(sleeps());
    }

    @Test
    void aTaskOfAnotherThreadBeginsTheTimeAgain() {
        pass(LOOK);
        assertTrue(sleeps());
        handler.wakeup();
        sleeps();
        assertFalse(sleeps());
        pass(LOOK);
        assertTrue(sleeps());
    }

    /** One that the loop has scheduled keeps it awake only while it runs. */
    @Test
    void aTaskIsRunWithoutSleepingBefore() {
        pass(LOOK);
        tasks = true;
        assertFalse(sleeps());
        tasks = false;
        assertTrue(sleeps());
    }

    @Test
    void aNegativeTimeIsRefused() {
        assertEquals("look: PT-1S (expected: >= 0)", assertThrows(IllegalArgumentException.class,
                () -> SpinningIoHandler.newFactory(null, Duration.ofSeconds(-1))).getMessage());
    }
}
