package io.github.nettyunix.benchmarks.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;

/** The machine that the benchmarks run on. */
public final class Machine {
    private Machine() {
    }

    /** The first two processors that this process may use; twice the same if there is only one. */
    public static List<Integer> twoProcessors() throws IOException {
        List<Integer> allowed = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("Cpus_allowed_list:")) {
                for (String range : line.substring(line.indexOf(':') + 1).trim().split(",")) {
                    String[] ends = range.split("-");
                    for (int i = Integer.parseInt(ends[0]); i <= Integer.parseInt(ends[ends.length - 1]); i++) {
                        allowed.add(i);
                    }
                }
            }
        }
        return List.of(allowed.get(0), allowed.get(allowed.size() > 1 ? 1 : 0));
    }

    /** A description in one line. */
    public static String describe(List<Integer> processors) throws IOException {
        String model = Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("model name")).findFirst()
                .map(line -> line.substring(line.indexOf(':') + 2)).orElse(System.getProperty("os.arch"));
        return "%s, %d processors, Linux %s, JDK %s, %s".formatted(model, Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.version").replaceAll("[^0-9.].*", ""), System.getProperty("java.version"),
                LocalDate.now(ZoneId.systemDefault()));
    }
}
