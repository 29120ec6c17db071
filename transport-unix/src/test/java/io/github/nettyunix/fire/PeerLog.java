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
    record Sent(Scenario.Operation operation, int length, List<String> descriptors) {
        Scenario.Send send() {
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

    record Got(int length, long crc, List<String> descriptors) {
    }

    int pid;
    /** Why it has ended early; null if it has not. */
    String error;
    int uid;
    int gid;
    /** By the number of the operation that failed. */
    final Map<Integer, String> failures = new HashMap<>();
    final List<Integer> opened = new ArrayList<>();
    final Map<Integer, List<Sent>> sent = new HashMap<>();
    final Map<Integer, List<Got>> got = new HashMap<>();
    final Set<Integer> drained = new HashSet<>();
    /** Whether the receiver's limit of descriptors was lowered. */
    boolean limited;

    PeerLog(Path file, Scenario scenario) throws IOException {
        Map<Integer, Scenario.Operation> operations = new HashMap<>();
        scenario.operations.forEach(operation -> operations.put(operation.number(), operation));
        Sent trying = null;
        for (String line : Files.readAllLines(file)) {
            String[] words = line.split(" ");
            int number = words.length > 1 && !words[0].equals("error") ? Integer.parseInt(words[1]) : 0;
            switch (words[0]) {
                case "pid" -> {
                    pid = number;
                    uid = Integer.parseInt(words[2]);
                    gid = Integer.parseInt(words[3]);
                }
                case "opened" -> opened.add(number);
                case "failed" -> {
                    failures.put(number, words[2]);
                    trying = null;
                }
                case "try" -> trying = new Sent(operations.get(number), -1, List.of(words).subList(2, words.length));
                case "sent" -> {
                    add(new Sent(trying.operation, Integer.parseInt(words[2]), trying.descriptors));
                    trying = null;
                }
                case "got" -> got.computeIfAbsent(number, key -> new ArrayList<>()).add(new Got(
                        Integer.parseInt(words[2]), Long.parseLong(words[3]), List.of(words).subList(4, words.length)));
                case "drained" -> drained.add(number);
                case "error" -> error = line;
                case "limited" -> limited = true;
                default -> {
                }
            }
        }
        if (trying != null) {
            add(trying);
        }
    }

    private void add(Sent message) {
        sent.computeIfAbsent(message.send().connection(), key -> new ArrayList<>()).add(message);
    }

    List<Sent> sentBy(int connection) {
        return sent.getOrDefault(connection, List.of());
    }

    List<Got> gotBy(int connection) {
        return got.getOrDefault(connection, List.of());
    }
}
