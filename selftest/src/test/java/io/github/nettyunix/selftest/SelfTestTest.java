package io.github.nettyunix.selftest;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Runs the self-test as users do, on this kernel and on kernels that lack something. */
class SelfTestTest {
    private static final String SO_PASSCRED = "16";
    private static final String SO_PASSPIDFD = "76";
    private static final String SO_PEERPIDFD = "77";
    private static final String SO_PASSRIGHTS = "83";

    /** What it printed, and its exit status. */
    private record Run(String output, int status) {
        /** The cells of a row. */
        List<String> row(String feature) {
            String line = output.lines().filter(text -> text.startsWith("  " + feature + ' ')).findFirst().orElse("");
            String cells = line.isEmpty() ? "" : line.substring(2 + feature.length()).strip();
            return List.of(cells.split(" {2,}"));
        }

        String lastLine() {
            return output.lines().reduce("", (before, line) -> line);
        }
    }

    private static Run run(List<String> launcher, String... options) throws Exception {
        List<String> command = new ArrayList<>(launcher);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
                System.getProperty("java.class.path")));
        command.addAll(List.of(options));
        command.add(SelfTest.class.getName());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Run(output, process.waitFor());
    }

    private static Run without(String... rules) throws Exception {
        List<String> launcher = new ArrayList<>(List.of("python3", resource("/without.py")));
        launcher.addAll(List.of(rules));
        launcher.add("--");
        return run(launcher);
    }

    private static String resource(String name) throws URISyntaxException {
        return Path.of(SelfTestTest.class.getResource(name).toURI()).toString();
    }

    private static void assertContains(String part, Run run) {
        assertTrue(run.output().contains(part), run.output());
    }

    @Test
    void nothingThatThisPlatformHasFails() throws Exception {
        Run run = run(List.of());
        assertEquals(0, run.status(), run.output());
        assertEquals("ok", run.row("socket pair").get(0), run.output());
        assertTrue(run.lastLine().matches("[1-9][0-9]* passed, [0-9]+ missing, 0 failed"), run.output());
        assertTrue(run.output().lines().allMatch(line -> line.length() <= 112), run.output());
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void whatTheKernelLacksIsMissingAndExplained() throws Exception {
        Run run = without("setsockopt:2=" + SO_PASSRIGHTS + ":ENOPROTOOPT",
                "setsockopt:2=" + SO_PASSPIDFD + ":ENOPROTOOPT", "getsockopt:2=" + SO_PEERPIDFD + ":ENOPROTOOPT",
                "memfd_create:ENOSYS");
        assertEquals(0, run.status(), run.output());
        List<String> missing = List.of("missing", "missing", "missing");
        assertEquals(missing, run.row("refusal of descriptors (SO_PASSRIGHTS)"), run.output());
        assertEquals(missing, run.row("sender's pidfd (SO_PASSPIDFD)"), run.output());
        assertEquals(missing, run.row("peer's pidfd (SO_PEERPIDFD)"), run.output());
        assertEquals(List.of("missing", "-", "-"), run.row("sealed file in memory (memfd_create)"), run.output());
        assertEquals(List.of("ok", "ok", "ok"), run.row("sender's pid, uid and gid (SO_PASSCRED)"), run.output());
        assertContains("    Linux 6.16: turning the option off throws UnsupportedOperationException.", run);
        assertContains(", 0 failed", run);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void whatShouldWorkAndDoesNotIsAFailure() throws Exception {
        Run run = without("setsockopt:2=" + SO_PASSCRED + ":EIO");
        assertEquals(1, run.status(), run.output());
        assertEquals(List.of("FAILED", "FAILED", "FAILED"), run.row("sender's pid, uid and gid (SO_PASSCRED)"),
                run.output());
        assertEquals(List.of("ok", "ok", "ok"), run.row("abstract name"), run.output());
        assertContains("setsockopt SO_PASSCRED stream: EIO", run);
        assertContains(", 3 failed", run);
    }

    @Test
    void anUnavailableTransportIsAFailureWithItsCause() throws Exception {
        Run run = run(List.of(), "-Dio.netty.native.workdir=/dev/null/folder");
        assertEquals(1, run.status(), run.output());
        assertContains("The transport does not work here", run);
        assertContains("/dev/null/folder, where native libraries are unpacked, cannot be written to", run);
    }
}
