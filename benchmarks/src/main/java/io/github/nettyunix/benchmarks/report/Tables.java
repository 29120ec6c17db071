package io.github.nettyunix.benchmarks.report;

import io.github.nettyunix.benchmarks.BenchmarkedSystem;
import io.github.nettyunix.benchmarks.Result;
import io.github.nettyunix.benchmarks.Workload;

import java.util.Formatter;
import java.util.Locale;
import java.util.Map;

/** One table per workload. */
public final class Tables {
    private static final String ROW = "  %-31s %12s %12s %12s %7s %7s %9s %9s %9s%n";

    private Tables() {
    }

    /**
     * The table of a workload.
     *
     * @param metrics the results of all systems by metric; {@code null} for a system that has none
     */
    public static String format(Workload workload, Map<String, Map<BenchmarkedSystem, Result>> metrics, String remark) {
        Formatter out = new Formatter(Locale.ROOT);
        out.format("%n%s, %s%s%n", workload.title(), workload.measure().unit, remark);
        if (metrics.isEmpty()) {
            out.format("  nothing was measured%n");
        }
        metrics.forEach((metric, results) -> {
            out.format(ROW, metric, "median", "min", "max", "x C", "x peer", "user ns", "sys ns", "alloc B");
            results.forEach((system, r) -> {
                if (r == null) {
                    out.format("  %-31s %12s%n", system.title(), "-");
                } else {
                    out.format(ROW, system.title(), number(r.median()), number(r.min()), number(r.max()),
                            optional("%.2f", r.ratioToC()), optional("%.2f", r.ratioToBestPeer()),
                            perMessage(r.userNsPerMessage()), perMessage(r.systemNsPerMessage()),
                            perMessage(r.allocatedBytesPerMessage()));
                }
            });
        });
        return out.toString();
    }

    /** With three significant digits or more. */
    private static String number(double value) {
        return value >= 100 ? "%,d".formatted(Math.round(value)).replace(',', ' ') : "%.3g".formatted(value);
    }

    private static String perMessage(Double value) {
        return value == null || value < 9.95 ? optional("%.1f", value) : number((double) Math.round(value));
    }

    private static String optional(String format, Double value) {
        return value == null ? "-" : format.formatted(value);
    }
}
