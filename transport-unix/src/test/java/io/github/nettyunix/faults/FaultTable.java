package io.github.nettyunix.faults;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the library is to do about each system call that fails, by errno. This is the specification. */
final class FaultTable {
    private FaultTable() {
    }

    /** All rows, by what they are about. */
    static Map<String, List<Row>> sections() {
        Map<String, List<Row>> sections = new LinkedHashMap<>();
        sections.put("Sending and receiving", TrafficFaults.rows());
        sections.put("Bind, connect, accept, close", LifecycleFaults.rows());
        sections.put("Socket files", FileFaults.rows());
        sections.put("Options, adopted sockets, and the peer", OptionFaults.rows());
        sections.put("Descriptors", DescriptorFaults.rows());
        sections.put("Event loops", LoopFaults.rows());
        return sections;
    }

    static List<Row> rows() {
        return sections().values().stream().flatMap(List::stream).toList();
    }
}
