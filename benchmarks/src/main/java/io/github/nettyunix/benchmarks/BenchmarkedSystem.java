package io.github.nettyunix.benchmarks;

import io.github.nettyunix.benchmarks.peer.JavaSystem;

import java.util.ArrayList;
import java.util.List;

/** A system that is measured. */
public interface BenchmarkedSystem {
    /** Its name on the command line and in the JSON rows. */
    String id();

    /** Its name in tables and charts. */
    String title();

    /** Why it is not available on this machine, or {@code null} if it is. */
    String unavailable();

    boolean supports(Workload workload);

    /** The command that runs one side: {@code server} or {@code client}. */
    List<String> command(String side, Settings settings);

    enum Role {
        /** This project's. */
        OURS,
        /** One that it is compared with. */
        JAVA_PEER,
        /** Raw C. */
        C,
        /** What no transport reaches. */
        LIMIT,
        /** This project's in another way; measured only if it is named. */
        VARIANT
    }

    Role role();

    /** All systems, in the order of the tables. */
    static List<BenchmarkedSystem> all() {
        List<BenchmarkedSystem> all = new ArrayList<>();
        all.add(new CSystem("c", "raw C", false));
        all.add(new CSystem("c-mmsg", "raw C, batched", true));
        all.addAll(JavaSystem.all());
        all.addAll(Substitute.ALL);
        all.add(new Scraped());
        return all;
    }
}
