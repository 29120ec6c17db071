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
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;

/** The command line. */
@Command(name = "benchmarks/run", sortOptions = false, usageHelpWidth = 110, description = {
        "Compares this transport with other Java systems and with raw C. A server and a client run in two processes, "
                + "each pinned to a processor. All systems take turns in several rounds. Every message is counted and "
                + "checked. A round during which other processes were busy is repeated, up to three times.", ""},
        footer = {"", "benchmarks/run jmh [OPTION...] runs the JMH microbenchmarks.",
                "BENCHMARKS_JAVA_OPTIONS: options for the JVMs of the Java systems."})
public final class Benchmarks implements Callable<Integer> {
    // Many short rounds: the speed of virtual processors changes from one second to the next.
    private static final Runner.Plan FULL = new Runner.Plan(9, 5000, 500);
    private static final Runner.Plan QUICK = new Runner.Plan(5, 2300, 250);

    @Option(names = "--quick", description = "under 10 minutes: a shorter warm-up, shorter rounds and, unless "
            + "workloads are named, only some of them")
    private boolean quick;

    @Option(names = "--json", paramLabel = "FILE", description = "write the rows to a file")
    private Path json;

    @Option(names = "--results", paramLabel = "FOLDER", description = "write tables, rows and charts (SVG) to a folder")
    private Path folder;

    @Option(names = "--redraw", paramLabel = "FILE",
            description = "measure nothing; draw the charts of a folder's results.json again")
    private Path redraw;

    @Option(names = "--only", paramLabel = "SYSTEM", split = ",", description = "measure only these systems")
    private List<String> only = List.of();

    @Option(names = "--rounds", paramLabel = "N",
            description = "default: 9, with --quick 5; memory is measured at most 3 times")
    private int rounds;

    @Option(names = "--list", description = "list the systems and workloads")
    private boolean list;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "print this text")
    @SuppressWarnings("unused")
    private boolean help;

    @Parameters(paramLabel = "WORKLOAD", description = "workloads, or prefixes of their names; default: all")
    private List<String> wanted = List.of();

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    private final StringBuilder text = new StringBuilder();

    private Benchmarks() {
    }

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Benchmarks()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        List<BenchmarkedSystem> systems = systems();
        List<Workload> workloads = workloads();
        if (list) {
            System.out.println("systems:");
            systems.forEach(system -> System.out.printf("  %-30s %s%n", system.id(), system.title()));
            System.out.println("workloads:");
            workloads.forEach(workload -> System.out.printf("  %-30s %s%n", workload.id(), workload.title()));
            return 0;
        }
        if (redraw != null) {
            Path target = redraw.toAbsolutePath().getParent();
            String caption = Files.readAllLines(target.resolve("results.txt")).get(0);
            Charts.draw(Json.read(redraw), BenchmarkedSystem.all(), caption, target);
            return 0;
        }
        return measure(systems, workloads);
    }

    private int measure(List<BenchmarkedSystem> systems, List<Workload> workloads) throws IOException {
        Runner.Plan plan = quick ? QUICK : FULL;
        if (rounds > 0) {
            plan = new Runner.Plan(rounds, plan.warmUpMillis(), plan.roundMillis());
        }
        List<Integer> processors = Machine.twoProcessors();
        Runner runner = new Runner(plan, systems, workloads, processors);
        String machine = Machine.describe(processors);
        List<String> arguments = spec.commandLine().getParseResult().originalArgs();
        print(machine + "\nbenchmarks/run " + String.join(" ", arguments) + '\n');
        List<Result> rows = new ArrayList<>();
        List<String> noisy = new ArrayList<>();
        for (Workload workload : workloads) {
            Outcome outcome = runner.run(workload);
            String remark = "";
            if (outcome.noise() > MachineNoise.QUIET) {
                remark = "  (the machine was not quiet: others used up to %.0f %% of it)"
                        .formatted(outcome.noise() * 100);
                noisy.add(workload.id());
            }
            Map<String, Map<BenchmarkedSystem, Result>> results = outcome.results();
            print(Tables.format(workload, results, remark));
            results.values().forEach(of -> of.values().stream().filter(Objects::nonNull).forEach(rows::add));
        }
        if (!noisy.isEmpty()) {
            print("\nThe machine was not quiet during: " + String.join(", ", noisy) + '\n');
        }
        if (json != null) {
            Json.write(rows, json);
        }
        if (folder != null) {
            Charts.draw(rows, systems, machine, folder);
            Json.write(rows, folder.resolve("results.json"));
            Files.writeString(folder.resolve("results.txt"), text);
        }
        return rows.isEmpty() ? 1 : 0;
    }

    private void print(String part) {
        System.out.print(part);
        System.out.flush();
        text.append(part);
    }

    private List<BenchmarkedSystem> systems() {
        List<BenchmarkedSystem> all = BenchmarkedSystem.all();
        List<String> ids = all.stream().map(BenchmarkedSystem::id).toList();
        for (String id : only) {
            if (!ids.contains(id)) {
                throw new ParameterException(spec.commandLine(),
                        "no system is called " + id + "; there are: " + String.join(", ", ids));
            }
        }
        List<BenchmarkedSystem> available = new ArrayList<>();
        for (BenchmarkedSystem system : all) {
            boolean usual = list || system.role() != BenchmarkedSystem.Role.VARIANT;
            if (only.isEmpty() ? usual : only.contains(system.id())) {
                String cause = system.unavailable();
                if (cause == null) {
                    available.add(system);
                } else {
                    System.err.println(system.title() + " is not available: " + cause);
                }
            }
        }
        return available;
    }

    private List<Workload> workloads() {
        if (wanted.isEmpty()) {
            return Workload.ALL.stream().filter(workload -> !quick || Workload.QUICK.contains(workload.id())).toList();
        }
        List<Workload> chosen = new ArrayList<>();
        for (String name : wanted) {
            List<Workload> exact = Workload.ALL.stream().filter(workload -> workload.id().equals(name)).toList();
            List<Workload> matching = exact.isEmpty()
                    ? Workload.ALL.stream().filter(workload -> workload.id().startsWith(name)).toList() : exact;
            if (matching.isEmpty()) {
                throw new ParameterException(spec.commandLine(), "no workload is called " + name + "; see --list");
            }
            matching.stream().filter(workload -> !chosen.contains(workload)).forEach(chosen::add);
        }
        return chosen;
    }
}
