package io.github.nettyunix.benchmarks.report;

import io.github.nettyunix.benchmarks.Contestant;
import io.github.nettyunix.benchmarks.Result;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.CategorySeries;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.theme.XChartTheme;

import java.awt.Color;
import java.awt.Font;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Bar charts; the error bars reach to the round that is farthest from the median. */
public final class Charts {
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 460;

    /** One a system, and the same in all charts: Okabe and Ito's, which the colour-blind can tell apart. */
    private static final Map<String, Color> COLOURS = Map.ofEntries(
            colour("c", 0x000000), colour("c-mmsg", 0x8c8c8c), colour("unix", 0xd55e00),
            colour("netty-epoll", 0x0072b2), colour("netty-io_uring", 0x56b4e9), colour("netty-nio", 0x009e73), colour("netty-tcp", 0xcc79a7),
            colour("junixsocket", 0xe69f00), colour("jdk", 0xf0e442));

    private static Map.Entry<String, Color> colour(String contestant, int rgb) {
        return Map.entry(contestant, new Color(rgb));
    }

    /**
     * One chart.
     *
     * @param relative whether the bars are ratios to raw C
     * @param bars the workloads with the labels that they get
     */
    private record Spec(String file, String title, String axis, boolean relative, double divisor, Map<String, String> bars) {
    }

    private static final List<Spec> SPECS = List.of(
            new Spec("ping-pong", "Ping-pong, 64 B: time of a round trip, less is better", "microseconds", false, 1,
                    bars("ping-pong-stream-p50", "stream, median", "ping-pong-stream-p99", "stream, 99 %",
                            "ping-pong-seqpacket-p50", "seqpacket, median", "ping-pong-seqpacket-p99", "seqpacket, 99 %")),
            new Spec("one-way-stream", "One way over a stream: messages a second, more is better",
                    "relative to the fastest raw C", true, 1,
                    bars("one-way-stream-64", "64 B", "one-way-stream-1k", "1 KiB", "one-way-stream-64k", "64 KiB")),
            new Spec("one-way-records", "One way, records: messages a second, more is better",
                    "relative to the fastest raw C", true, 1,
                    bars("one-way-seqpacket-64", "seqpacket 64 B", "one-way-seqpacket-1k", "seqpacket 1 KiB",
                            "one-way-seqpacket-64k", "seqpacket 64 KiB", "one-way-datagram-64", "datagram 64 B",
                            "one-way-datagram-1k", "datagram 1 KiB", "one-way-datagram-64k", "datagram 64 KiB")),
            new Spec("echo", "Echo, 64 B: round trips a second by number of connections, more is better",
                    "thousand a second", false, 1000,
                    bars("echo-1", "1", "echo-16", "16", "echo-256", "256", "echo-4096", "4 096")),
            new Spec("connections-fds", "Connections and file descriptors a second, more is better",
                    "relative to the fastest raw C", true, 1,
                    bars("connections", "connections", "fds-1", "fds, 1 a message", "fds-16", "fds, 16 a message",
                            "fds-1-seqpacket", "1 a record", "fds-16-seqpacket", "16 a record")));

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
     * @param caption on what machine and when
     */
    public static void draw(List<Result> rows, List<Contestant> contestants, String caption, Path folder) throws IOException {
        Files.createDirectories(folder);
        for (Spec spec : SPECS) {
            Map<String, String> present = new LinkedHashMap<>(spec.bars);
            present.keySet().removeIf(workload -> rows.stream().noneMatch(row -> row.workload().equals(workload)));
            if (!present.isEmpty()) {
                CategoryChart chart = chart(spec, present, rows, contestants);
                chart.setXAxisTitle(caption);
                ByteArrayOutputStream svg = new ByteArrayOutputStream();
                ChartEncoder.saveChart(chart, svg, "svg");
                // Letters are outlines, and a hundredth of a pixel will do.
                Files.writeString(folder.resolve(spec.file + ".svg"),
                        svg.toString(StandardCharsets.UTF_8).replaceAll("(\\.\\d\\d)\\d+", "$1"));
            }
        }
    }

    private static CategoryChart chart(Spec spec, Map<String, String> bars, List<Result> rows, List<Contestant> contestants) {
        CategoryChart chart = new CategoryChartBuilder().width(WIDTH).height(HEIGHT).title(spec.title).yAxisTitle(spec.axis)
                .build();
        chart.getStyler().setTheme(new XChartTheme());
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        chart.getStyler().setPlotBorderVisible(false);
        chart.getStyler().setPlotGridVerticalLinesVisible(false);
        chart.getStyler().setChartTitleBoxVisible(false);
        chart.getStyler().setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 15));
        chart.getStyler().setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        // As many labels as one chart has must not run into each other.
        chart.getStyler().setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 10));
        chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
        chart.getStyler().setLegendBorderColor(Color.WHITE);
        chart.getStyler().setErrorBarsColor(Color.DARK_GRAY);
        chart.getStyler().setAvailableSpaceFill(0.85);
        chart.getStyler().setYAxisMin(0.0);
        chart.getStyler().setYAxisDecimalPattern(spec.relative ? "0.0" : "#,##0");
        List<String> labels = List.copyOf(bars.values());
        for (Contestant contestant : contestants) {
            List<Result> of = bars.keySet().stream().map(workload -> find(rows, workload, contestant)).toList();
            if (of.stream().noneMatch(Objects::nonNull)) {
                continue;
            }
            List<Double> values = new ArrayList<>();
            List<Double> errors = new ArrayList<>();
            for (Result row : of) {
                double scale = row == null ? 0 : spec.relative ? ratio(row) / row.median() : 1 / spec.divisor;
                values.add(row == null ? 0 : row.median() * scale);
                errors.add(row == null ? 0 : Math.max(row.max() - row.median(), row.median() - row.min()) * scale);
            }
            CategorySeries series = chart.addSeries(contestant.title(), labels, values, errors);
            series.setFillColor(COLOURS.getOrDefault(contestant.id(), Color.LIGHT_GRAY));
        }
        return chart;
    }

    private static double ratio(Result row) {
        return row.ratioToC() == null ? 0 : row.ratioToC();
    }

    private static Result find(List<Result> rows, String workload, Contestant contestant) {
        return rows.stream().filter(row -> row.workload().equals(workload) && row.system().equals(contestant.id())).findAny()
                .orElse(null);
    }
}
