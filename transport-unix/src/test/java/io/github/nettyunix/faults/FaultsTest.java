package io.github.nettyunix.faults;

import io.github.nettyunix.faults.Fault.Frequency;
import io.netty.buffer.ByteBufAllocator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Every system call fails with every errno, and the library does what {@link FaultTable} specifies. */
@Tag("once")
@Tag("soak")
@EnabledOnOs(OS.LINUX)
class FaultsTest {
    /** A failure may take as long as a deadline; after so many, the rest are left out. */
    private static final int ENOUGH = 20;
    private static final Path PAGE = Path.of("../docs/faults.md");

    private final boolean isShort = Boolean.getBoolean("nettyunix.faults.short");
    private final String only = System.getProperty("nettyunix.faults.only", "").replace('+', ' ');

    @Test
    @Timeout(1800)
    void everySystemCallThatFailsHasItsSpecifiedReaction() {
        List<String> wrong = new ArrayList<>();
        int cells = 0;
        FaultyLoop.warmUp();
        for (Row row : FaultTable.rows()) {
            if (wrong.size() >= ENOUGH) {
                break;
            }
            Set<Reaction> seen = EnumSet.noneOf(Reaction.class);
            for (Row.Cell cell : row.cells) {
                boolean isFirst = seen.add(cell.reaction());
                for (Frequency frequency : isShort && !isFirst ? new Frequency[0] : Frequency.values()) {
                    Fault fault = new Fault(row.call, cell.errno(), frequency);
                    String name = fault + ", " + row.workload.title();
                    if (!row.workload.applies(cell.errno(), frequency) || !name.contains(only)) {
                        continue;
                    }
                    cells++;
                    String mistake = row.run(fault, row.reaction(cell, frequency));
                    if (mistake != null) {
                        wrong.add(name + ": " + mistake);
                        System.out.println("FAILED " + name + ": " + mistake);
                    }
                }
            }
        }
        reportLeaks();
        System.out.println(cells + " combinations of system call, errno, frequency and workload, " + wrong.size()
                + " wrong");
        assertTrue(wrong.isEmpty(), () -> String.join("\n", wrong));
    }

    /** What was collected without being released is reported when the next buffer is allocated. */
    private static void reportLeaks() {
        for (int i = 0; i < 3; i++) {
            System.gc();
            ByteBufAllocator.DEFAULT.directBuffer(1).release();
        }
    }

    @Test
    void everySystemCallHasARowOrAReasonWhyNot() {
        Set<String> known = new TreeSet<>(FaultTable.withoutRow().keySet());
        FaultTable.rows().forEach(row -> known.addAll(row.call.names()));
        assertEquals(known, new TreeSet<>(Injector.made().keySet()));
    }

    @Test
    void thePageShowsTheTable() throws IOException {
        if (Boolean.getBoolean("nettyunix.faults.write")) {
            Files.writeString(PAGE, FaultsPage.render());
        }
        assertEquals(FaultsPage.render(), Files.readString(PAGE), "docs/faults.md: run scripts/faults --write");
    }
}
