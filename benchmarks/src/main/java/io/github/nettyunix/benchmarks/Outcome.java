package io.github.nettyunix.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What came out of a workload.
 *
 * @param rounds by system, in the order in which they are shown; an empty list where it does not support the workload or has
 *        failed
 */
record Outcome(Workload workload, Map<Contestant, List<Round>> rounds) {
    /** The names of what was measured: {@code ""}, or the percentiles. */
    List<String> metrics() {
        return rounds.values().stream().flatMap(List::stream).findFirst()
                .map(round -> List.copyOf(new LinkedHashMap<>(round.values()).keySet())).orElse(List.of());
    }

    /** The rows of one metric, by system; {@code null} for a system without one. */
    Map<Contestant, Result> results(String metric) {
        // A connection costs a process in C next to nothing: there is no ratio in that.
        Double bestC = workload.measure() == Workload.Measure.MEMORY ? null : best(metric, Contestant.Role.C);
        Double bestPeer = best(metric, Contestant.Role.JAVA_PEER);
        Map<Contestant, Result> results = new LinkedHashMap<>();
        rounds.forEach((contestant, all) -> results.put(contestant,
                all.isEmpty() ? null : result(contestant, all, metric, bestC, bestPeer)));
        return results;
    }

    private Result result(Contestant contestant, List<Round> all, String metric, Double bestC, Double bestPeer) {
        List<Double> values = values(all, metric);
        double median = Result.median(values);
        boolean timed = workload.measure() != Workload.Measure.MEMORY;
        return new Result(metric.isEmpty() ? workload.id() : workload.id() + '-' + metric, contestant.id(),
                workload.measure().unit, median, values.stream().min(Double::compare).orElseThrow(),
                values.stream().max(Double::compare).orElseThrow(), all.size(), ratio(median, bestC), ratio(median, bestPeer),
                timed ? perMessage(all, round -> round.cpu().user()) : null,
                timed ? perMessage(all, round -> round.cpu().system()) : null,
                timed && all.get(0).allocated() >= 0 ? perMessage(all, Round::allocated) : null);
    }

    private static List<Double> values(List<Round> all, String metric) {
        return all.stream().map(round -> round.values().get(metric)).toList();
    }

    private static double perMessage(List<Round> all, ToDoubleFunction<Round> total) {
        return Result.median(all.stream().map(round -> total.applyAsDouble(round) / round.messages()).toList());
    }

    private Double best(String metric, Contestant.Role role) {
        List<Double> medians = new ArrayList<>();
        rounds.forEach((contestant, all) -> {
            if (contestant.role() == role && !all.isEmpty()) {
                medians.add(Result.median(values(all, metric)));
            }
        });
        return medians.stream().max((a, b) -> workload.measure().moreIsBetter ? Double.compare(a, b) : Double.compare(b, a))
                .orElse(null);
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
