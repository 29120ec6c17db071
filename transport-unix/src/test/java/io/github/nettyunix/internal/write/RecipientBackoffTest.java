package io.github.nettyunix.internal.write;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** When a recipient is tried again, with a reader and a clock of the test's own. */
@Tag("once")
class RecipientBackoffTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final int QUEUE = 11;

    /** Simulates a second of a sender that always has something to send, to a reader of a given rate. */
    private record Second(int attempts, int sent) {
        static Second at(int perSecond) {
            RecipientBackoff recipient = new RecipientBackoff(null);
            long each = SECOND / perSecond;
            // The reader takes the next datagram when it is due, if there is one.
            long now = SECOND;
            long nextRead = now + each;
            int queued = QUEUE;
            int attempts = 0;
            int sent = 0;
            recipient.refused(now);
            while (now < 2 * SECOND) {
                now = recipient.due();
                while (nextRead <= now) {
                    nextRead = queued > 0 ? nextRead + each : now + each;
                    queued = Math.max(queued - 1, 0);
                }
                attempts++;
                recipient.unblock();
                for (; queued < QUEUE; queued++) {
                    recipient.taken();
                    sent++;
                }
                recipient.refused(now);
            }
            return new Second(attempts, sent);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {100, 1000, 10_000})
    void aSteadyReaderIsKeptAtWorkWithFewAttempts(int perSecond) {
        Second second = Second.at(perSecond);
        assertTrue(second.sent > perSecond * 0.9, second.toString());
        assertTrue(second.attempts < perSecond * 0.3 + 20, second.toString());
    }

    @Test
    void aReaderThatHasStoppedIsTriedLessAndLessOften() {
        RecipientBackoff recipient = new RecipientBackoff(null);
        long now = 0;
        for (int i = 0; i < 30; i++) {
            recipient.refused(now);
            now = recipient.due();
        }
        recipient.refused(now);
        assertEquals(RecipientBackoff.LAST_DELAY_NANOS, recipient.due() - now);
    }

    @Test
    void theFirstAttemptIsMadeSoon() {
        RecipientBackoff recipient = new RecipientBackoff(null);
        assertFalse(recipient.isBlocked());
        recipient.refused(SECOND);
        assertTrue(recipient.isBlocked());
        assertEquals(SECOND + RecipientBackoff.FIRST_DELAY_NANOS, recipient.due());
        recipient.limit(SECOND + 1);
        assertEquals(SECOND + 1, recipient.due());
        recipient.limit(2 * SECOND);
        assertEquals(SECOND + 1, recipient.due());
        recipient.unblock();
        assertFalse(recipient.isBlocked());
    }
}
