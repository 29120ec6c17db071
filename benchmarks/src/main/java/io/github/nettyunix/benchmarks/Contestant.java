package io.github.nettyunix.benchmarks;

import io.github.nettyunix.benchmarks.peer.JavaContestant;

import java.util.ArrayList;
import java.util.List;

/** A system that is measured. */
public interface Contestant {
    /** Its name on the command line and in the JSON rows. */
    String id();

    /** Its name for people. */
    String title();

    /** Why it cannot take part here, or {@code null}. */
    String unavailable();

    boolean supports(Workload workload);

    /** A command that runs one side: {@code server} or {@code client}. */
    List<String> command(String side, Settings settings);

    /** The one that is measured, the ones it is measured against, or raw C. */
    enum Role { OURS, JAVA_PEER, C }

    Role role();

    /** All of them, in the order in which they are shown. */
    static List<Contestant> all() {
        List<Contestant> all = new ArrayList<>(List.of(new CContestant(false), new CContestant(true)));
        all.addAll(JavaContestant.all());
        return all;
    }
}
