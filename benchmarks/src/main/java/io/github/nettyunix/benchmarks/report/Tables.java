package io.github.nettyunix.benchmarks.report;

import io.github.nettyunix.benchmarks.Contestant;
import io.github.nettyunix.benchmarks.Result;
import io.github.nettyunix.benchmarks.Workload;

import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A table for a workload. */
public final class Tables {
    private Tables() {
    }

    /**
     * A table.
     *
     * @param metrics by name the results of all systems; {@code null} for a system that does not support the workload
     */
    public static String format(Workload workload, Map<String, Map<Contestant, Result>> metrics,
                                List<Contestant> contestants, String remark) {
        Formatter out = new Formatter(Locale.ROOT);
        out.format("%n%s, %s%s%n", workload.title(), workload.measure().unit, remark);
        if (metrics.isEmpty()) {
            out.format("  nothing was measured%n");
        }
        metrics.forEach((metric, results) -> {
            out.format("  %-30s %12s %12s %12s %7s %7s %9s %9s %9s%n", metric.isEmpty() ? "" : metric, "median", "min", "max",
                    "x C", "x peer", "user ns", "sys ns", "alloc B");
            for (Contestant contestant : contestants) {
                Result r = results.get(contestant);
                if (r == null) {
                    out.format("  %-30s %12s%n", contestant.title(), "-");
                } else {
                    out.format("  %-30s %12s %12s %12s %7s %7s %9s %9s %9s%n", contestant.title(), number(r.median()),
                            number(r.min()), number(r.max()), ratio(r.ratioToC()), ratio(r.ratioToBestPeer()),
                            optional(r.userNsPerMessage()), optional(r.systemNsPerMessage()),
                            optional(r.allocatedBytesPerMessage()));
                }
            }
        });
        return out.toString();
    }

    /** Three digits or more. */
    static String number(double value) {
        return value >= 100 ? "%,d".formatted(Math.round(value)).replace(',', ' ') : "%.3g".formatted(value);
    }

    private static String ratio(Double value) {
        return value == null ? "-" : "%.2f".formatted(value);
    }

    private static String optional(Double value) {
        return value == null ? "-" : value < 9.95 ? "%.1f".formatted(value) : number(Math.round(value));
    }
}
