package io.github.nettyunix.fire;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the peer says that it has done. */
final class PeerLog {
    /** {@code length} is what the kernel has taken, or -1 if the peer was killed in the middle of it. */
    record Sent(Plan.Operation operation, int length, List<String> descriptors) {
        Plan.Send send() {
            return operation.send();
        }

        boolean isCertain() {
            return length >= 0;
        }

        @Override
        public String toString() {
            return "operation " + operation.number() + ", " + send().length() + " bytes and descriptors " + descriptors;
        }
    }

    /** @param sender the credentials that came with it, or "-" */
    record Got(int length, long crc, String sender, List<String> descriptors) {
    }

    int pid;
    /** Why it has ended early; null if it has not. */
    String error;
    int uid;
    int gid;
    final List<Integer> opened = new ArrayList<>();
    /** In hexadecimal digits. */
    final Map<Integer, String> names = new HashMap<>();
    final Map<Integer, List<Sent>> sent = new HashMap<>();
    final Map<Integer, List<Got>> got = new HashMap<>();
    final Set<Integer> drained = new HashSet<>();
    /** Those that refuse descriptors. */
    final Set<Integer> refusing = new HashSet<>();
    /** Those of which the peer reads everything while it waits. */
    final Set<Integer> reading = new HashSet<>();
    /** Whether the receiver's limit of descriptors was lowered. */
    boolean limited;

    PeerLog(Path file, Scenario scenario) throws IOException {
        Map<Integer, Plan.Operation> operations = new HashMap<>();
        scenario.operations.forEach(operation -> operations.put(operation.number(), operation));
        Sent trying = null;
        // The peer may be in the middle of a line, if it reads while it waits, or was killed there.
        String text = Files.readString(file);
        for (String line : (Iterable<String>) text.substring(0, text.lastIndexOf('\n') + 1).lines()::iterator) {
            String[] words = line.split(" ");
            int number = words.length > 1 && !words[0].equals("error") ? Integer.parseInt(words[1]) : 0;
            switch (words[0]) {
                case "pid" -> {
                    pid = number;
                    uid = Integer.parseInt(words[2]);
                    gid = Integer.parseInt(words[3]);
                }
                case "opened" -> {
                    opened.add(number);
                    names.put(number, words.length > 2 ? words[2] : "");
                }
                case "failed" -> trying = null;
                case "try" -> trying = new Sent(operations.get(number), -1, List.of(words).subList(2, words.length));
                case "sent" -> {
                    addAll(trying, words.length > 3 ? Integer.parseInt(words[3]) : 1, Integer.parseInt(words[2]));
                    trying = null;
                }
                case "got" -> got.computeIfAbsent(number, key -> new ArrayList<>()).add(new Got(
                        Integer.parseInt(words[2]), Long.parseLong(words[3]), words[4],
                        List.of(words).subList(5, words.length)));
                case "drained" -> drained.add(number);
                case "refused" -> refusing.add(number);
                case "settle" -> {
                    reading.clear();
                    List.of(words).subList(2, words.length).forEach(word -> reading.add(Integer.valueOf(word)));
                }
                case "error" -> error = line;
                case "limited" -> limited = true;
                default -> {
                }
            }
        }
        if (trying != null) {
            addAll(trying, trying.send().count(), -1);
        }
    }

    /** Each of the messages that one operation consists of has the same number of descriptors. */
    private void addAll(Sent tried, int count, int lastLength) {
        int each = tried.descriptors.size() / tried.send().count();
        for (int i = 0; i < count; i++) {
            int length = i == count - 1 || lastLength < 0 ? lastLength : tried.send().length();
            sent.computeIfAbsent(tried.send().connection(), key -> new ArrayList<>()).add(new Sent(tried.operation,
                    length, tried.descriptors.subList(i * each, (i + 1) * each)));
        }
    }

    List<Sent> sentBy(int connection) {
        return sent.getOrDefault(connection, List.of());
    }

    List<Got> gotBy(int connection) {
        return got.getOrDefault(connection, List.of());
    }
}
