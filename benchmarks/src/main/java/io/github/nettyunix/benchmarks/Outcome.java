package io.github.nettyunix.benchmarks;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The results of a workload.
 *
 * @param rounds by system, in the order of the tables, for those that support the workload; empty if the system failed
 */
record Outcome(Workload workload, Map<BenchmarkedSystem, List<Round>> rounds) {
    /** The rows by metric, and by system with {@code null} for one without rounds. */
    Map<String, Map<BenchmarkedSystem, Result>> results() {
        Map<String, Map<BenchmarkedSystem, Result>> results = new LinkedHashMap<>();
        rounds.values().stream().flatMap(List::stream).limit(1)
                .forEach(round -> round.values().keySet().forEach(metric -> results.put(metric, results(metric))));
        return results;
    }

    private Map<BenchmarkedSystem, Result> results(String metric) {
        // A connection takes next to no memory in C: a ratio to that says nothing.
        Double bestC = isTimed() ? best(metric, BenchmarkedSystem.Role.C) : null;
        Double bestPeer = best(metric, BenchmarkedSystem.Role.JAVA_PEER);
        Map<BenchmarkedSystem, Result> results = new LinkedHashMap<>();
        rounds.forEach((system, all) -> results.put(system,
                all.isEmpty() ? null : result(system, all, metric, bestC, bestPeer)));
        return results;
    }

    private Result result(BenchmarkedSystem system, List<Round> all, String metric, Double bestC, Double bestPeer) {
        List<Double> values = values(all, metric).stream().sorted().toList();
        double median = Result.median(values);
        return new Result(metric.isEmpty() ? workload.id() : workload.id() + '-' + metric, system.id(),
                workload.measure().unit, median, values.get(0), values.get(values.size() - 1), all.size(),
                ratio(median, bestC), ratio(median, bestPeer),
                isTimed() ? perMessage(all, round -> round.cpu().user()) : null,
                isTimed() ? perMessage(all, round -> round.cpu().system()) : null,
                isTimed() && all.get(0).allocated() >= 0 ? perMessage(all, Round::allocated) : null);
    }

    private boolean isTimed() {
        return workload.measure() != Workload.Measure.MEMORY;
    }

    private static List<Double> values(List<Round> all, String metric) {
        return all.stream().map(round -> round.values().get(metric)).toList();
    }

    private static double perMessage(List<Round> all, ToDoubleFunction<Round> total) {
        return Result.median(all.stream().map(round -> total.applyAsDouble(round) / round.messages()).toList());
    }

    private Double best(String metric, BenchmarkedSystem.Role role) {
        return rounds.entrySet().stream().filter(entry -> entry.getKey().role() == role && !entry.getValue().isEmpty())
                .map(entry -> Result.median(values(entry.getValue(), metric)))
                .reduce(workload.measure().moreIsBetter ? Math::max : Math::min).orElse(null);
    }

    private Double ratio(double value, Double reference) {
        if (reference == null) {
            return null;
        }
        return workload.measure().moreIsBetter ? value / reference : reference / value;
    }

    double noise() {
        return rounds.values().stream().flatMap(List::stream).mapToDouble(Round::noise).max().orElse(0);
    }
}
