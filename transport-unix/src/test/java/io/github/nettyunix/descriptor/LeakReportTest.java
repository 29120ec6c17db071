package io.github.nettyunix.descriptor;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.netty.util.ResourceLeakDetector;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Netty's leak detector reports descriptors that were forgotten, and no others. */
@Tag("once")
@ExtendWith(LeakCheckExtension.class)
class LeakReportTest {
    private static final Queue<String> REPORTS = new ConcurrentLinkedQueue<>();

    /** Records the reports that would be logged. Netty creates one detector per class. */
    public static final class Detector<T> extends ResourceLeakDetector<T> {
        public Detector(Class<T> type, int samplingInterval) {
            super(type, samplingInterval);
        }

        /** Netty looks for this constructor too, and logs a complaint if there is none. */
        public Detector(Class<T> type, int samplingInterval, long maxActive) {
            this(type, samplingInterval);
        }

        @Override
        protected void reportTracedLeak(String resourceType, String records) {
            REPORTS.add(resourceType + ", hint shown: " + records.contains("the hint"));
        }

        @Override
        protected void reportUntracedLeak(String resourceType) {
            REPORTS.add(resourceType);
        }
    }

    static final class Forgetful {
        public static void main(String[] arguments) throws IOException {
            for (int i = 0; i < 20; i++) {
                Descriptors.some(1)[0].release();
                Descriptors.some(1)[0].retain().close();
                UnixFileDescriptor.adopt(Descriptors.some(1)[0].detach()).close();
                collect();
            }
            System.out.println(REPORTS);
            Descriptors.some(1)[0].touch("the hint");
            while (REPORTS.isEmpty()) {
                collect();
            }
            System.out.println(REPORTS);
        }

        /** Leaks are found when the next descriptor is created. */
        private static void collect() throws IOException {
            System.gc();
            Descriptors.some(1)[0].release();
        }
    }

    @Test
    void forgottenDescriptorIsReportedWithItsTraces() throws Exception {
        List<String> command = Jvm.command(Forgetful.class, "-Dio.netty.leakDetection.level=paranoid",
                "-XX:+UseSerialGC", "-Dio.netty.customResourceLeakDetector=" + Detector.class.getName());
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader out = process.inputReader()) {
            assertEquals("[]", out.readLine());
            assertEquals("[UnixFileDescriptor, hint shown: true]", out.readLine());
        } finally {
            process.outputWriter().close();
        }
        assertEquals(0, process.waitFor());
        Evidence.of("itself",
                "the leak detector reports a forgotten descriptor, and none that was closed, released or detached");
    }
}
