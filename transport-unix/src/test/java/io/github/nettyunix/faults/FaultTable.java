package io.github.nettyunix.faults;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the library is to do about each system call that fails, by errno. This is the specification. */
final class FaultTable {
    private static final String FALLBACK = "only made where another call has failed";

    /** Calls that have no row, and why. */
    private static final String[][] WITHOUT_ROW = {
            {"rename", FALLBACK}, {"renameat", FALLBACK}, {"linkat", FALLBACK}, {"chmod", FALLBACK},
            {"fchmodat", FALLBACK}, {"stat", FALLBACK}, {"getdents64", FALLBACK},
            {"lchown", "not made on Linux, where files are open when their group is set"},
            {"mlock2", "only made after mlockall(2)"},
            {"poll", "a failure counts as no hang-up"},
            {"ppoll", "as poll"},
            {"prlimit64", "a failure counts as a limit that is reached: messages are received one by one"},
            {"getrlimit", "as prlimit64"},
            {"waitid", "made by a thread of its own, which waits for a child"},
            {"wait4", "made by a thread of its own, which waits for a child"},
            {"read", "Netty's, of its eventfd, and the JDK's"},
            {"pread64", "the JDK's"},
            {"readv", "the JDK's"},
            {"writev", "the JDK's"},
            {"timerfd_settime", "Netty's"},
    };

    private FaultTable() {
    }

    /** Calls that have no row, and why. */
    static Map<String, String> withoutRow() {
        Map<String, String> result = new LinkedHashMap<>();
        for (String[] call : WITHOUT_ROW) {
            result.put(call[0], call[1]);
        }
        return result;
    }

    /** All rows, by what they are about. */
    static Map<String, List<Row>> sections() {
        Map<String, List<Row>> sections = new LinkedHashMap<>();
        sections.put("Sending and receiving", TrafficFaults.rows());
        sections.put("Bind, connect, accept, close", LifecycleFaults.rows());
        sections.put("Socket files", FileFaults.rows());
        sections.put("Options, adopted sockets, and the peer", OptionFaults.rows());
        sections.put("Descriptors", DescriptorFaults.rows());
        sections.put("Memory and events", MemoryFaults.rows());
        sections.put("Channels with shared memory", SharedMemoryFaults.rows());
        sections.put("Event loops", LoopFaults.rows());
        return sections;
    }

    static List<Row> rows() {
        return sections().values().stream().flatMap(List::stream).toList();
    }
}
