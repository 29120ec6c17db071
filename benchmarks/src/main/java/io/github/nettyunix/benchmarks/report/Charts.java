package io.github.nettyunix.benchmarks.report;

import io.github.nettyunix.benchmarks.Contestant;
import io.github.nettyunix.benchmarks.Result;
import io.github.nettyunix.benchmarks.Workload;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Charts. */
public final class Charts {
    private Charts() {
    }

    public static void draw(List<Result> rows, List<Workload> workloads, List<Contestant> contestants, String machine,
                            Path folder) throws IOException {
    }
}
