package io.github.nettyunix.benchmarks;

import io.github.nettyunix.benchmarks.report.Charts;
import io.github.nettyunix.benchmarks.report.Json;
import io.github.nettyunix.benchmarks.report.Machine;
import io.github.nettyunix.benchmarks.report.Tables;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

/** The command line. */
@Command(name = "benchmarks/run", sortOptions = false, usageHelpWidth = 110, description = {
        "Measures this transport beside its peers and raw C: a server and a client in two processes, pinned to a "
                + "processor each, all systems in turn, several rounds. Every message is counted and checked. A round "
                + "during which other processes were busy is repeated, three times at most.", ""},
        footer = {"", "benchmarks/run jmh [OPTION...] runs the JMH microbenchmarks.",
                "BENCHMARKS_JAVA_OPTIONS are given to the Java systems' processes."})
public final class Benchmarks implements Callable<Integer> {
    // Many short rounds: the speed of virtual processors changes from one second to the next.
    private static final Runner.Plan FULL = new Runner.Plan(9, 5000, 500);
    private static final Runner.Plan QUICK = new Runner.Plan(5, 2300, 250);

    @Option(names = "--quick", description = "under 10 minutes: a shorter warm-up and shorter rounds, and some of the workloads unless they are named")
    private boolean quick;

    @Option(names = "--json", paramLabel = "FILE", description = "write the rows to a file")
    private Path json;

    @Option(names = "--results", paramLabel = "FOLDER", description = "write tables, rows and charts (SVG) to a folder")
    private Path folder;

    @Option(names = "--redraw", paramLabel = "FILE", description = {
            "measure nothing: draw the charts of a folder's results.json again"})
    private Path redraw;

    @Option(names = "--only", paramLabel = "SYSTEM", split = ",", description = "these systems only")
    private List<String> only = List.of();

    @Option(names = "--rounds", paramLabel = "N", description = "default: 9; with --quick 5; memory is measured 3 times at most")
    private int rounds;

    @Option(names = "--list", description = "list the systems and workloads")
    private boolean list;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "this text")
    private boolean help;

    @Parameters(paramLabel = "WORKLOAD", description = "workloads, or beginnings of their names; default: all")
    private List<String> wanted = List.of();

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    private Benchmarks() {
    }

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Benchmarks()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        List<Contestant> contestants = contestants();
        List<Workload> workloads = workloads();
        if (list) {
            System.out.println("systems:");
            contestants.forEach(c -> System.out.printf("  %-30s %s%n", c.id(), c.title()));
            System.out.println("workloads:");
            workloads.forEach(w -> System.out.printf("  %-30s %s%n", w.id(), w.title()));
            return 0;
        }
        if (redraw != null) {
            Path beside = redraw.toAbsolutePath().getParent();
            Charts.draw(Json.read(redraw), Contestant.all(), Files.readAllLines(beside.resolve("results.txt")).get(0), beside);
            return 0;
        }
        Runner.Plan plan = quick ? QUICK : FULL;
        if (rounds > 0) {
            plan = new Runner.Plan(rounds, plan.warmUpMillis(), plan.roundMillis());
        }
        List<Integer> processors = Machine.twoProcessors();
        long turns = 0;
        long millis = 0;
        for (Workload workload : workloads) {
            long some = contestants.stream().filter(c -> c.supports(workload)).count();
            turns += some * plan.rounds(workload);
            millis += some * plan.millis(workload);
        }
        Progress progress = new Progress(turns, millis);
        Runner runner = new Runner(plan, contestants, processors, progress);

        StringBuilder text = new StringBuilder();
        String machine = Machine.describe(processors);
        print(machine + "\nbenchmarks/run "
                + String.join(" ", spec.commandLine().getParseResult().originalArgs()) + '\n', text);
        List<Outcome> outcomes = new ArrayList<>();
        List<String> noisy = new ArrayList<>();
        for (Workload workload : workloads) {
            Outcome outcome = runner.run(workload);
            progress.clear();
            outcomes.add(outcome);
            String remark = "";
            if (outcome.noise() > MachineNoise.QUIET) {
                remark = "  (the machine was not quiet: others used up to %.0f %% of it)".formatted(outcome.noise() * 100);
                noisy.add(workload.id());
            }
            print(Tables.format(workload, results(outcome), contestants, remark), text);
        }
        if (!noisy.isEmpty()) {
            print("\nThe machine was not quiet during: " + String.join(", ", noisy) + '\n', text);
        }
        List<Result> rows = outcomes.stream().flatMap(o -> results(o).values().stream())
                .flatMap(of -> of.values().stream()).filter(Objects::nonNull).toList();
        if (json != null) {
            Json.write(rows, json);
        }
        if (folder != null) {
            Charts.draw(rows, contestants, machine, folder);
            Json.write(rows, folder.resolve("results.json"));
            Files.writeString(folder.resolve("results.txt"), text);
        }
        return rows.isEmpty() ? 1 : 0;
    }

    private static void print(String part, StringBuilder text) {
        System.out.print(part);
        System.out.flush();
        text.append(part);
    }

    private static Map<String, Map<Contestant, Result>> results(Outcome outcome) {
        return outcome.metrics().stream().collect(Collectors.toMap(metric -> metric, outcome::results, (a, b) -> a,
                LinkedHashMap::new));
    }

    private List<Contestant> contestants() {
        List<Contestant> all = Contestant.all();
        for (String id : only) {
            if (all.stream().noneMatch(c -> c.id().equals(id))) {
                throw new ParameterException(spec.commandLine(), "no system is called " + id + "; there are: "
                        + all.stream().map(Contestant::id).collect(Collectors.joining(", ")));
            }
        }
        List<Contestant> available = new ArrayList<>();
        for (Contestant contestant : all) {
            if (only.isEmpty() || only.contains(contestant.id())) {
                String cause = contestant.unavailable();
                if (cause == null) {
                    available.add(contestant);
                } else {
                    System.err.println(contestant.title() + " does not take part: " + cause);
                }
            }
        }
        return available;
    }

    private List<Workload> workloads() {
        if (wanted.isEmpty()) {
            return Workload.ALL.stream().filter(w -> !quick || Workload.QUICK.contains(w.id())).toList();
        }
        List<Workload> chosen = new ArrayList<>();
        for (String name : wanted) {
            List<Workload> exact = Workload.ALL.stream().filter(w -> w.id().equals(name)).toList();
            List<Workload> matching = exact.isEmpty()
                    ? Workload.ALL.stream().filter(w -> w.id().startsWith(name)).toList() : exact;
            if (matching.isEmpty()) {
                throw new ParameterException(spec.commandLine(), "no workload is called " + name + "; see --list");
            }
            matching.stream().filter(w -> !chosen.contains(w)).forEach(chosen::add);
        }
        return chosen;
    }
}
