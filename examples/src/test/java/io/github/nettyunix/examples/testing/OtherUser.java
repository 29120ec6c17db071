package io.github.nettyunix.examples.testing;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.io.File;
import java.io.IOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Starts programs as another user, which only root may do: tests that need it are {@link ByRoot}. */
public final class OtherUser {
    /** The user nobody. */
    public static final int NOBODY = 65534;

    private final int uid;
    private final String classPath;

    /**
     * Copies the examples to a folder where every user may read them.
     *
     * @param folder an empty one, which others may not list
     */
    public OtherUser(int uid, Path folder) throws IOException {
        this.uid = uid;
        letIn(folder);
        List<String> copies = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            copies.add(copy(Path.of(entry), folder.resolve(copies.size() + "-" + Path.of(entry).getFileName())));
        }
        classPath = String.join(File.pathSeparator, copies);
    }

    private static String copy(Path from, Path to) throws IOException {
        if (Files.exists(from)) {
            try (Stream<Path> all = Files.walk(from)) {
                for (Path path : all.toList()) {
                    Path copy = to.resolve(from.relativize(path).toString());
                    Files.copy(path, copy);
                    Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rwxr-xr-x"));
                }
            }
        }
        return to.toString();
    }

    /** Lets every user access the contents of a folder. */
    public static void letIn(Path folder) throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    }

    /** Starts a program of the system. */
    public static Program start(int uid, String... command) {
        List<String> all = new ArrayList<>(List.of("setpriv", "--reuid=" + uid, "--regid=" + uid, "--clear-groups"));
        all.addAll(List.of(command));
        return Program.start(all.toArray(new String[0]));
    }

    /** Starts an example. */
    public Program example(String... arguments) {
        List<String> command = Program.exampleCommand(arguments);
        command.set(command.indexOf("-cp") + 1, classPath);
        return start(uid, command.toArray(new String[0]));
    }

    /** A test that only root can run, because it starts programs as another user. */
    @Target({ElementType.TYPE, ElementType.METHOD})
    @Retention(RetentionPolicy.RUNTIME)
    @ExtendWith(RootCondition.class)
    public @interface ByRoot {
    }

    static final class RootCondition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            return System.getProperty("user.name").equals("root") ? ConditionEvaluationResult.enabled("root")
                    : ConditionEvaluationResult.disabled(
                            "does not apply to users who may not start programs as another");
        }
    }
}
