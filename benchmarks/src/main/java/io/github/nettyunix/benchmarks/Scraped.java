package io.github.nettyunix.benchmarks;

import io.github.nettyunix.benchmarks.peer.JavaSystem;
import io.github.nettyunix.benchmarks.peer.Scraper;

import java.util.ArrayList;
import java.util.List;

/** This transport while its meters are scraped, on the processors that the event loops have. */
record Scraped() implements BenchmarkedSystem {
    private static final BenchmarkedSystem SYSTEM = JavaSystem.of("unix");

    @Override
    public String id() {
        return SYSTEM.id() + "-scraped";
    }

    @Override
    public String title() {
        return SYSTEM.title() + ", scraped";
    }

    @Override
    public String unavailable() {
        return SYSTEM.unavailable();
    }

    @Override
    public boolean supports(Workload workload) {
        return SYSTEM.supports(workload);
    }

    @Override
    public List<String> command(String side, Settings settings) {
        List<String> command = new ArrayList<>(SYSTEM.command(side, settings));
        command.add(1, "-D" + Scraper.PROPERTY + "=true");
        return command;
    }

    @Override
    public Role role() {
        return Role.VARIANT;
    }
}
