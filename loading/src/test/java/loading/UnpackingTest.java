package loading;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opentest4j.TestAbortedException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Folders that native libraries cannot be unpacked to. */
class UnpackingTest {
    @TempDir
    private Path folder;

    /** With a file system on the folder that only the command sees. */
    private List<String> mounted(String options, List<String> command) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("unshare", "--map-root-user", "--mount", "sh", "-c",
                "mount -t tmpfs -o " + options + " tmpfs \"$0\" && exec \"$@\"", folder.toString()));
        List<String> trial = new ArrayList<>(all);
        trial.add("true");
        Process process = new ProcessBuilder(trial).redirectErrorStream(true).start();
        process.getInputStream().readAllBytes();
        if (process.waitFor() != 0) {
            throw new TestAbortedException("left out: there are no user namespaces");
        }
        all.addAll(command);
        return all;
    }

    @ParameterizedTest
    @CsvSource({"ro, java.io.tmpdir", "ro, io.netty.native.workdir", "noexec, java.io.tmpdir",
        "noexec, io.netty.native.workdir"})
    void theFolderIsNamedWithWhatToDo(String options, String property) throws Exception {
        Path real = Files.createDirectories(folder.toRealPath());
        String problem = options.equals("noexec") ? "is mounted noexec" : "cannot be written to";
        assertEquals("unavailable: " + real + ", where native libraries are unpacked, " + problem
                + ": name another folder with -Dio.netty.native.workdir=/path/to/folder",
                Jars.run(mounted(options, Jars.command("-XX:-UsePerfData", "-D" + property + "=" + real, "-cp",
                        Jars.path(Jars.netty(), Jars.transport(), Jars.PROBE), "loading.Probe"))));
    }
}
