package io.github.nettyunix.faults;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Writes {@link FaultTable} as docs/faults.md. */
final class FaultsPage {
    private static final String HEAD = """
            # System calls that fail

            What a channel does when the kernel refuses a system call. `./verify --faults` makes every call in these
            tables fail, with every errno in them, on the thread of an event loop, while real sockets carry numbered
            messages and descriptors: the first call, every second call, and, unless the kernel cannot do that, every
            call until nothing happens any more. Of the calls that carry messages, the second one also fails alone,
            after one that has succeeded. It checks that the reaction is the one stated here, and in every case:

            - Each message whose promise has succeeded arrives once, in order, with its descriptors and their contents.
              No other message arrives.
            - What is lost is reported: a promise fails, or `exceptionCaught` or the end of the channel says so. The
              report names the errno.
            - Nothing hangs, and an event loop that waits for a call that keeps failing is idle.
            - No descriptor, buffer or file is left over. A socket file that could not be removed is replaced by the
              next server.
            - Once the call works again, so does the channel, unless it has closed; and if it has, a new one does.

            The tables are the ones in `transport-unix/src/test/java/io/github/nettyunix/faults`, written by
            `scripts/faults --write`. ENOSYS and EPERM are what filters of seccomp(2) return for calls that they forbid.
            Calls with a star depend on the kernel or the user, and may not be made where the tables are checked.
            """;

    private FaultsPage() {
    }

    static String render() {
        StringBuilder page = new StringBuilder(HEAD);
        page.append("\n| Reaction | What it means |\n|---|---|\n");
        for (Reaction reaction : used()) {
            page.append("| ").append(reaction).append(" | ").append(reaction.meaning()).append(" |\n");
        }
        FaultTable.sections().forEach((title, rows) -> {
            page.append("\n## ").append(title)
                    .append("\n\n| System call | During | Errno | Reaction |\n|---|---|---|---|\n");
            merge(byCall(rows)).forEach((entry, workloads) -> page.append("| `").append(entry.call).append('`')
                    .append(entry.optional ? "*" : "").append(" | ").append(String.join("; ", workloads)).append(" | ")
                    .append(entry.errnos).append(" | ").append(entry.reaction).append(" |\n"));
        });
        page.append("\n## Calls that are left out\n\n| System call | Why |\n|---|---|\n");
        FaultTable.withoutRow().forEach((call, reason) ->
                page.append("| `").append(call).append("` | ").append(reason).append(" |\n"));
        return page.toString();
    }

    private static Set<Reaction> used() {
        Set<Reaction> used = EnumSet.noneOf(Reaction.class);
        FaultTable.rows().forEach(row -> row.cells.forEach(cell -> used.addAll(cell.repeated() == null
                ? List.of(cell.reaction()) : Arrays.asList(cell.reaction(), cell.repeated()))));
        return used;
    }

    /** All rows of a call one after the other. */
    private static List<Row> byCall(List<Row> rows) {
        Map<String, List<Row>> calls = new LinkedHashMap<>();
        rows.forEach(row -> calls.computeIfAbsent(row.call.title(), key -> new ArrayList<>()).add(row));
        return calls.values().stream().flatMap(List::stream).toList();
    }

    private record Entry(String call, boolean optional, String errnos, String reaction) {
    }

    /** What is the same during several workloads becomes one line. */
    private static Map<Entry, List<String>> merge(List<Row> rows) {
        Map<Entry, List<String>> result = new LinkedHashMap<>();
        for (Row row : rows) {
            Map<String, List<String>> errnos = new LinkedHashMap<>();
            for (Row.Cell cell : row.cells) {
                String reaction = cell.reaction() + (cell.repeated() == null ? ""
                        : "; if it keeps failing, " + cell.repeated())
                        + (row.later == null || row.later == cell.reaction() ? ""
                        : "; after one that has succeeded, " + row.later);
                errnos.computeIfAbsent(reaction, key -> new ArrayList<>()).add(cell.errno());
            }
            errnos.forEach((reaction, names) -> result.computeIfAbsent(new Entry(row.call.title(), row.optional,
                    String.join(", ", names), reaction), key -> new ArrayList<>()).add(row.workload.title()));
        }
        return result;
    }
}
