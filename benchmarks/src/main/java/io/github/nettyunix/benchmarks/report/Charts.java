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
import java.util.function.Function;
import java.util.stream.Stream;

import static java.util.Map.entry;

/**
 * Bar charts as SVG, for pages that are about 800 pixels wide, on light and on dark screens. A bar shows the median of
 * all rounds, and the line on it runs from the smallest to the largest value. There is no bar where a system has no
 * result.
 */
public final class Charts {
    private static final int WIDTH = 800;
    private static final int LEFT = 70;
    private static final int RIGHT = WIDTH - 10;
    private static final int CENTRE = (LEFT + RIGHT) / 2;
    private static final int LEGEND = 44;
    /** The longest title of a system for which the legend has four columns. */
    private static final int SHORT = 22;
    private static final int LINE = 20;
    private static final int PLOT = 280;

    /** One per system of a chart, the same in all charts: Okabe and Ito's, which colour-blind people can tell apart. */
    private static final Map<String, String> COLOURS = Map.ofEntries(entry("c-mmsg", "#8c8c8c"),
            entry("unix", "#d55e00"), entry("netty-epoll", "#0072b2"), entry("netty-io_uring", "#56b4e9"),
            entry("netty-nio", "#009e73"), entry("netty-tcp", "#cc79a7"), entry("junixsocket", "#e69f00"),
            entry("jdk", "#f0e442"), entry("agrona", "#8c8c8c"), entry("unix-stream", "#e69f00"),
            entry("unix-seqpacket", "#f0e442"), entry("netty-epoll-stream", "#0072b2"));
    /** Raw C has the colour of the text. */
    private static final String STYLE = """
            <style>
            text, .fill { fill: #1f2328 }
            .back { fill: #ffffff }
            .grid { stroke: #d1d9e0 }
            .one { stroke: #59636e }
            .range { stroke: #1f2328; fill: none }
            .halo { stroke: #ffffff; stroke-width: 3.5; fill: none }
            @media (prefers-color-scheme: dark) {
            text, .fill { fill: #f0f6fc }
            .back { fill: #0d1117 }
            .grid { stroke: #3d444d }
            .one { stroke: #9198a1 }
            .range { stroke: #f0f6fc }
            .halo { stroke: #0d1117 }
            }
            </style>
            """;

    /**
     * One chart.
     *
     * @param ratio that the bars show; {@code null} if they show values
     * @param divisor of the values
     * @param bars the bars' labels by the workloads that they show
     */
    private record Spec(String file, String title, String axis, Function<Result, Double> ratio, double divisor,
                        Map<String, String> bars) {
        /** A chart of ratios. */
        Spec(String file, String title, String axis, Function<Result, Double> ratio, Map<String, String> bars) {
            this(file, title, axis, ratio, 0, bars);
        }

        /** A chart of values. */
        Spec(String file, String title, String axis, double divisor, Map<String, String> bars) {
            this(file, title, axis, null, divisor, bars);
        }

        double scale(Result row) {
            return ratio == null ? 1 / divisor : ratio.apply(row) == null ? 0 : ratio.apply(row) / row.median();
        }
    }

    private static final String RELATIVE = "rate / rate of the fastest raw C program";

    private static final List<Spec> SPECS = List.of(
            new Spec("ping-pong", "Ping-pong, 64 B: time of a round trip, less is better",
                    "microseconds a round trip", 1,
                    bars("ping-pong-stream-p50", "stream, median", "ping-pong-stream-p99", "stream, 99 %",
                            "ping-pong-seqpacket-p50", "seqpacket, median",
                            "ping-pong-seqpacket-p99", "seqpacket, 99 %")),
            new Spec("one-way-stream", "One way over a stream: messages per second, more is better", RELATIVE,
                    Result::ratioToC,
                    bars("one-way-stream-64", "64 B", "one-way-stream-1k", "1 KiB", "one-way-stream-64k", "64 KiB")),
            new Spec("one-way-records", "One way, records: messages per second, more is better", RELATIVE,
                    Result::ratioToC,
                    bars("one-way-seqpacket-64", "seqpacket 64 B", "one-way-seqpacket-1k", "seqpacket 1 KiB",
                            "one-way-seqpacket-64k", "seqpacket 64 KiB", "one-way-datagram-64", "datagram 64 B",
                            "one-way-datagram-1k", "datagram 1 KiB", "one-way-datagram-64k", "datagram 64 KiB")),
            new Spec("echo", "Echo, 64 B: round trips per second by number of connections, more is better",
                    "thousand round trips per second", 1000,
                    bars("echo-1", "1 connection", "echo-16", "16 connections", "echo-256", "256 connections",
                            "echo-4096", "4 096 connections")),
            new Spec("connections-fds", "Connections and file descriptors per second, more is better", RELATIVE,
                    Result::ratioToC,
                    bars("connections", "connections", "fds-1", "fds, 1 per message", "fds-16", "fds, 16 per message",
                            "fds-1-seqpacket", "1 per record", "fds-16-seqpacket", "16 per record")),
            new Spec("one-way-memory", "One way, shared memory and sockets: messages per second, more is better",
                    "rate / rate of Netty on a stream", Result::ratioToBestPeer,
                    bars("one-way-memory-64", "64 B", "one-way-memory-1k", "1 KiB", "one-way-memory-64k", "64 KiB",
                            "payload-16m-memory", "16 MiB")),
            new Spec("ping-pong-memory", "Ping-pong, 64 B, shared memory and sockets: less is better",
                    "microseconds a round trip", 1,
                    bars("ping-pong-memory-looking-p50", "looking, median",
                            "ping-pong-memory-looking-p99", "looking, 99 %",
                            "ping-pong-memory-spinning-p50", "spinning, median",
                            "ping-pong-memory-spinning-p99", "spinning, 99 %")));

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
            // A limit that is twenty times as fast would leave no bar that one can read.
            List<BenchmarkedSystem> chosen = systems.stream()
                    .filter(system -> spec.ratio == null || system.role() != BenchmarkedSystem.Role.LIMIT).toList();
            List<Result> shown = rows.stream().filter(row -> spec.bars.containsKey(row.workload())
                    && chosen.stream().anyMatch(system -> system.id().equals(row.system()))).toList();
            if (!shown.isEmpty()) {
                List<BenchmarkedSystem> present = chosen.stream()
                        .filter(system -> shown.stream().anyMatch(row -> row.system().equals(system.id()))).toList();
                Files.writeString(folder.resolve(spec.file + ".svg"), chart(spec, shown, present, caption));
            }
        }
    }

    private static String chart(Spec spec, List<Result> rows, List<BenchmarkedSystem> systems, String caption) {
        int columns = systems.stream().allMatch(system -> system.title().length() <= SHORT) ? 4 : 3;
        int top = LEGEND + LINE * ((systems.size() + columns - 1) / columns) + 14;
        Plot plot = new Plot(new StringBuilder(), spec, top + PLOT);
        int height = plot.bottom + 76;
        plot.add("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d' role='img' "
                + "font-family='sans-serif' font-size='13'>", WIDTH, height, WIDTH, height);
        plot.svg.append(STYLE);
        plot.add("<title>%s</title>", escape(spec.title));
        plot.add("<rect width='%d' height='%d' class='back'/>", WIDTH, height);
        plot.text(WIDTH / 2.0, 24, "middle' font-size='16' font-weight='bold", spec.title);
        plot.legend(systems, columns);
        plot.add("<text transform='translate(18 %d) rotate(-90)' text-anchor='middle'>%s</text>", top + PLOT / 2,
                escape(spec.axis));
        plot.axis(rows.stream().mapToDouble(row -> row.max() * spec.scale(row)).max().orElseThrow());

        Map<String, String> bars = new LinkedHashMap<>(spec.bars);
        bars.keySet().removeIf(workload -> rows.stream().noneMatch(row -> row.workload().equals(workload)));
        double group = (double) (RIGHT - LEFT) / bars.size();
        double width = group * 0.85 / systems.size();
        double start = LEFT;
        for (Map.Entry<String, String> bar : bars.entrySet()) {
            plot.text(start + group / 2, plot.bottom + 20, "middle", bar.getValue());
            for (int i = 0; i < systems.size(); i++) {
                double x = start + group * 0.075 + width * i;
                String system = systems.get(i).id();
                rows.stream().filter(row -> row.workload().equals(bar.getKey()) && row.system().equals(system))
                        .forEach(row -> plot.bar(row, x, width * 0.9));
            }
            start += group;
        }
        int rounds = rows.stream().mapToInt(Result::rounds).max().orElseThrow();
        plot.text(CENTRE, plot.bottom + 44, "middle' font-size='12",
                "bars: the median of " + rounds + " rounds; lines: from the smallest to the largest value");
        plot.text(CENTRE, plot.bottom + 62, "middle' font-size='12", caption);
        return plot.svg.append("</svg>\n").toString();
    }

    /** A chart that is being drawn. */
    private static final class Plot {
        private final StringBuilder svg;
        private final Spec spec;
        private final int bottom;
        /** The value at the upper end of the vertical axis. */
        private double largest;

        Plot(StringBuilder svg, Spec spec, int bottom) {
            this.svg = svg;
            this.spec = spec;
            this.bottom = bottom;
        }

        void legend(List<BenchmarkedSystem> systems, int columns) {
            for (int i = 0; i < systems.size(); i++) {
                int x = LEFT + i % columns * (RIGHT - LEFT) / columns;
                int y = LEGEND + i / columns * LINE;
                add("<rect x='%d' y='%d' width='12' height='12' %s/>", x, y, colour(systems.get(i).id()));
                text(x + 18, y + 11, "start", systems.get(i).title());
            }
        }

        /** Draws the vertical axis, with about five lines. */
        void axis(double max) {
            double power = Math.pow(10, Math.floor(Math.log10(max / 5)));
            double step = power * Stream.of(1, 2, 5, 10).filter(n -> n * power >= max / 5).findFirst().orElse(10);
            int lines = (int) Math.ceil(max / step);
            largest = lines * step;
            for (int line = 0; line <= lines; line++) {
                line("grid", line * step);
                text(LEFT - 8, y(line * step) + 4, "end",
                        String.format(Locale.ROOT, spec.ratio != null ? "%.1f" : "%,.0f", line * step));
            }
            if (spec.ratio != null) {
                line("one", 1);
            }
        }

        private void line(String style, double value) {
            add("<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' class='%s'/>", LEFT, y(value), RIGHT, y(value), style);
        }

        void bar(Result row, double x, double width) {
            double scale = spec.scale(row);
            double median = y(row.median() * scale);
            add("<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' %s/>", x, median, width, bottom - median,
                    colour(row.system()));
            double middle = x + width / 2;
            double end = Math.min(width / 4, 4);
            double low = y(row.min() * scale);
            double high = y(row.max() * scale);
            for (String style : List.of("halo", "range")) {
                add("<path d='M%.1f %.1fV%.1fM%.1f %.1fh%.1fM%.1f %.1fh%.1f' class='%s'/>", middle, low, high,
                        middle - end, low, 2 * end, middle - end, high, 2 * end, style);
            }
        }

        private double y(double value) {
            return bottom - PLOT * value / largest;
        }

        void text(double x, double y, String anchor, String text) {
            add("<text x='%.1f' y='%.1f' text-anchor='" + anchor + "'>%s</text>", x, y, escape(text));
        }

        void add(String format, Object... values) {
            svg.append(String.format(Locale.ROOT, format, values)).append('\n');
        }
    }

    private static String colour(String system) {
        String colour = COLOURS.get(system);
        return colour == null ? "class='fill'" : "fill='" + colour + "'";
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;");
    }
}
