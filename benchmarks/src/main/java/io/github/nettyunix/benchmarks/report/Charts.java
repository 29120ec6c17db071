package io.github.nettyunix.benchmarks.report;

import io.github.nettyunix.benchmarks.BenchmarkedSystem;
import io.github.nettyunix.benchmarks.Result;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Bar charts as SVG. A bar shows the median of all rounds, and the line on it runs from the smallest to the largest
 * value. There is no bar where a system has no result.
 */
public final class Charts {
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 460;
    private static final int LEFT = 70;
    private static final int RIGHT = 800;
    private static final int CENTRE = (LEFT + RIGHT) / 2;
    private static final int TOP = 45;
    private static final int BOTTOM = 395;

    /** One per system, the same in all charts: Okabe and Ito's, which colour-blind people can tell apart. */
    private static final Map<String, String> COLOURS = Map.of("c", "#000000", "c-mmsg", "#8c8c8c", "unix", "#d55e00",
            "netty-epoll", "#0072b2", "netty-io_uring", "#56b4e9", "netty-nio", "#009e73", "netty-tcp", "#cc79a7",
            "junixsocket", "#e69f00", "jdk", "#f0e442");

    /**
     * One chart.
     *
     * @param divisor of the values, or 0 if the bars are ratios to raw C
     * @param bars the bars' labels by the workloads that they show
     */
    private record Spec(String file, String title, String axis, double divisor, Map<String, String> bars) {
        double scale(Result row) {
            return divisor != 0 ? 1 / divisor : row.ratioToC() == null ? 0 : row.ratioToC() / row.median();
        }
    }

    private static final String RELATIVE = "relative to the fastest raw C";

    private static final List<Spec> SPECS = List.of(
            new Spec("ping-pong", "Ping-pong, 64 B: time of a round trip, less is better", "microseconds", 1,
                    bars("ping-pong-stream-p50", "stream, median", "ping-pong-stream-p99", "stream, 99 %",
                            "ping-pong-seqpacket-p50", "seqpacket, median",
                            "ping-pong-seqpacket-p99", "seqpacket, 99 %")),
            new Spec("one-way-stream", "One way over a stream: messages per second, more is better", RELATIVE, 0,
                    bars("one-way-stream-64", "64 B", "one-way-stream-1k", "1 KiB", "one-way-stream-64k", "64 KiB")),
            new Spec("one-way-records", "One way, records: messages per second, more is better", RELATIVE, 0,
                    bars("one-way-seqpacket-64", "seqpacket 64 B", "one-way-seqpacket-1k", "seqpacket 1 KiB",
                            "one-way-seqpacket-64k", "seqpacket 64 KiB", "one-way-datagram-64", "datagram 64 B",
                            "one-way-datagram-1k", "datagram 1 KiB", "one-way-datagram-64k", "datagram 64 KiB")),
            new Spec("echo", "Echo, 64 B: round trips per second by number of connections, more is better",
                    "thousand per second", 1000,
                    bars("echo-1", "1", "echo-16", "16", "echo-256", "256", "echo-4096", "4 096")),
            new Spec("connections-fds", "Connections and file descriptors per second, more is better", RELATIVE, 0,
                    bars("connections", "connections", "fds-1", "fds, 1 per message", "fds-16", "fds, 16 per message",
                            "fds-1-seqpacket", "1 per record", "fds-16-seqpacket", "16 per record")));

    private Charts() {
    }

    private static Map<String, String> bars(String... workloadsAndLabels) {
        Map<String, String> bars = new LinkedHashMap<>();
        for (int i = 0; i < workloadsAndLabels.length; i += 2) {
            bars.put(workloadsAndLabels[i], workloadsAndLabels[i + 1]);
        }
        return bars;
    }

    /**
     * Draws the charts for which there are rows.
     *
     * @param caption the machine and the date
     */
    public static void draw(List<Result> rows, List<BenchmarkedSystem> systems, String caption, Path folder)
            throws IOException {
        Files.createDirectories(folder);
        for (Spec spec : SPECS) {
            List<Result> shown = rows.stream().filter(row -> spec.bars.containsKey(row.workload())).toList();
            if (!shown.isEmpty()) {
                List<BenchmarkedSystem> present = systems.stream()
                        .filter(system -> shown.stream().anyMatch(row -> row.system().equals(system.id()))).toList();
                Files.writeString(folder.resolve(spec.file + ".svg"), chart(spec, shown, present, caption));
            }
        }
    }

    private static String chart(Spec spec, List<Result> rows, List<BenchmarkedSystem> systems, String caption) {
        StringBuilder svg = new StringBuilder();
        add(svg, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif' font-size='11'>",
                WIDTH, HEIGHT);
        add(svg, "<rect width='%d' height='%d' fill='white'/>", WIDTH, HEIGHT);
        text(svg, CENTRE, 24, "middle' font-size='15' font-weight='bold", spec.title);
        text(svg, CENTRE, HEIGHT - 14, "middle", caption);
        add(svg, "<text transform='translate(16 %d) rotate(-90)' text-anchor='middle'>%s</text>", (TOP + BOTTOM) / 2,
                escape(spec.axis));
        double top = axis(svg, spec, rows.stream().mapToDouble(row -> row.max() * spec.scale(row)).max().orElseThrow());

        Map<String, String> bars = new LinkedHashMap<>(spec.bars);
        bars.keySet().removeIf(workload -> rows.stream().noneMatch(row -> row.workload().equals(workload)));
        double group = (double) (RIGHT - LEFT) / bars.size();
        double width = group * 0.85 / systems.size();
        double start = LEFT;
        for (Map.Entry<String, String> bar : bars.entrySet()) {
            text(svg, start + group / 2, BOTTOM + 18, "middle", bar.getValue());
            for (int i = 0; i < systems.size(); i++) {
                double x = start + group * 0.075 + width * i;
                String system = systems.get(i).id();
                rows.stream().filter(row -> row.workload().equals(bar.getKey()) && row.system().equals(system))
                        .forEach(row -> bar(svg, row, spec.scale(row), x, width * 0.9, top));
            }
            start += group;
        }
        for (int i = 0; i < systems.size(); i++) {
            int y = TOP + 12 + 22 * i;
            add(svg, "<rect x='%d' y='%d' width='12' height='12' fill='%s'/>", RIGHT + 20, y,
                    COLOURS.get(systems.get(i).id()));
            text(svg, RIGHT + 38, y + 10, "start", systems.get(i).title());
        }
        return svg.append("</svg>\n").toString();
    }

    /** Draws the vertical axis, with about five lines; returns the value at its upper end. */
    private static double axis(StringBuilder svg, Spec spec, double largest) {
        double power = Math.pow(10, Math.floor(Math.log10(largest / 5)));
        double step = power * Stream.of(1, 2, 5, 10).filter(n -> n * power >= largest / 5).findFirst().orElse(10);
        int lines = (int) Math.ceil(largest / step);
        for (int line = 0; line <= lines; line++) {
            double y = y(line * step, lines * step);
            add(svg, "<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' stroke='#dddddd'/>", LEFT, y, RIGHT, y);
            text(svg, LEFT - 8, y + 4, "end",
                    String.format(Locale.ROOT, spec.divisor == 0 ? "%.1f" : "%,.0f", line * step));
        }
        return lines * step;
    }

    private static void bar(StringBuilder svg, Result row, double scale, double x, double width, double top) {
        double median = y(row.median() * scale, top);
        add(svg, "<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' fill='%s'/>", x, median, width, BOTTOM - median,
                COLOURS.get(row.system()));
        double middle = x + width / 2;
        double end = Math.min(width / 4, 4);
        double low = y(row.min() * scale, top);
        double high = y(row.max() * scale, top);
        add(svg, "<path d='M%.1f %.1fV%.1fM%.1f %.1fh%.1fM%.1f %.1fh%.1f' stroke='#555555' fill='none'/>", middle, low,
                high, middle - end, low, 2 * end, middle - end, high, 2 * end);
    }

    private static double y(double value, double top) {
        return BOTTOM - (BOTTOM - TOP) * value / top;
    }

    private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
        add(svg, "<text x='%.1f' y='%.1f' text-anchor='" + anchor + "'>%s</text>", x, y, escape(text));
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;");
    }

    private static void add(StringBuilder svg, String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
