package io.github.nettyunix.internal.socket;

import io.github.nettyunix.UnixTransport;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.unix.Limits;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** How many buffers of a stream were sent, if the kernel has taken so many bytes. */
@Tag("once")
class StreamBatchTest {
    @BeforeAll
    static void load() {
        UnixTransport.ensureAvailability();
    }

    private static boolean add(StreamBatch batch, ByteBuf buffer) {
        boolean added = batch.processMessage(buffer);
        buffer.release();
        return added;
    }

    private static ByteBuf buffer(int length) {
        return Unpooled.directBuffer(Math.max(length, 1)).writeZero(length);
    }

    @Test
    void buffersCountWhenTheirLastByteIsSent() {
        StreamBatch batch = StreamBatch.current();
        int[] lengths = {1, 0, 3, 1000, 0, 2};
        for (int length : lengths) {
            assertTrue(add(batch, buffer(length)));
        }
        for (int sent = 0; sent <= 1006; sent++) {
            int expected = sent < 1 ? 0 : sent < 4 ? 1 : sent < 1004 ? 2 : sent < 1006 ? 3 : 4;
            assertEquals(expected, batch.buffers(sent), sent + " bytes");
        }
    }

    @Test
    void thereMayBeManyBuffers() {
        StreamBatch batch = StreamBatch.current();
        for (int i = 0; i < 10_000; i++) {
            assertTrue(add(batch, buffer(2)));
        }
        assertEquals(10_000, batch.buffers(20_000));
        assertEquals(9_999, batch.buffers(19_999));
        assertEquals(0, StreamBatch.current().buffers(0));
    }

    @Test
    void bufferOfWhichOnlyTheFirstPartsFitIsSentLater() {
        CompositeByteBuf large = Unpooled.compositeBuffer(Limits.IOV_MAX);
        for (int i = 0; i < Limits.IOV_MAX; i++) {
            large.addComponent(true, buffer(1));
        }
        StreamBatch batch = StreamBatch.current();
        assertTrue(add(batch, buffer(1000)));
        assertFalse(add(batch, large));
        assertEquals(1, batch.buffers(1000 + Limits.IOV_MAX - 1));
        assertEquals(2, batch.buffers(1000 + Limits.IOV_MAX));
    }
}
