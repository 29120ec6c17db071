package io.github.nettyunix.faults;

import io.github.nettyunix.faults.Fault.Frequency;
import io.github.nettyunix.faults.Serving.Place;
import io.github.nettyunix.faults.Serving.Stage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

import static io.github.nettyunix.SocketType.DATAGRAM;
import static io.github.nettyunix.SocketType.STREAM;
import static org.junit.jupiter.api.Assertions.assertNull;

/** Failures of system calls that once led to something else. {@link FaultsTest} has all of them. */
@Tag("once")
@Tag("user")
@EnabledOnOs(OS.LINUX)
class FailedCallsTest {
    private static void check(SystemCall call, Workload workload, String errno, Frequency frequency,
            Reaction expected) {
        FaultyLoop.warmUp();
        assertNull(Row.of(call, workload).named("EADDRINUSE").run(new Fault(call, errno, frequency), expected));
    }

    @Test
    void aFileThatCannotBeLookedAtIsNotReplaced() {
        check(FileFaults.LSTAT, new Keeping(STREAM, true), "EACCES", Frequency.ALWAYS, Reaction.FAILS_AND_CLOSES);
    }

    @Test
    void aSocketFileThatCannotBeRemovedKeepsItsName() {
        check(FileFaults.UNLINK, new Serving(STREAM, Stage.CLOSE, Place.FREE), "EIO", Frequency.ALWAYS,
                Reaction.LEAVES_FILE);
        check(FileFaults.UNLINK, new Serving(DATAGRAM, Stage.CLOSE, Place.FREE), "EBUSY", Frequency.ALWAYS,
                Reaction.LEAVES_FILE);
    }

    @Test
    void aBindThatFailsOnceTheSocketIsBoundClosesTheChannel() {
        check(FileFaults.FSTAT, new Serving(STREAM, Stage.BIND, Place.MODE), "ENOMEM", Frequency.ONCE,
                Reaction.FAILS_AND_LEAVES_FILE);
    }

    @Test
    void socketsOfAPairThatCannotBeMadeToBlockAreClosed() {
        check(DescriptorFaults.F_SETFL, DescriptorFaults.SOCKET_PAIR, "EPERM", Frequency.ONCE, Reaction.FAILS);
    }
}
