package io.github.nettyunix.netty;

import io.github.nettyunix.testing.Evidence;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * Skips those of Netty's tests that {@code docs/conformance.md} lists, and no others: a class fails if one of its tests
 * is skipped for another reason. Classes that pass are reported to ./verify.
 */
final class Conformance implements ExecutionCondition, TestWatcher, AfterAllCallback {
    /**
     * A line of the list.
     *
     * @param test a test class of Netty's, or one of its methods
     * @param where what it cannot run on, {@code all} or a name as of {@link #transport}
     */
    record Inapplicable(String test, String where, String reason) {
        private static final Pattern LINE = Pattern.compile("^\\| `([\\w.]+)` \\| (\\w+) \\| (.+) \\|$",
                Pattern.MULTILINE);
        static final List<Inapplicable> LIST = read();

        private static List<Inapplicable> read() {
            try {
                return LINE.matcher(Files.readString(Path.of("..", "docs", "conformance.md"))).results()
                        .map((MatchResult line) -> new Inapplicable(line.group(1), line.group(2), line.group(3)))
                        .toList();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** The results of a class's tests. */
    private static final class Results {
        final List<String> skipped = new ArrayList<>();
        int passed;
        int failed;

        static Results of(ExtensionContext context) {
            return context.getRoot().getStore(ExtensionContext.Namespace.create(Conformance.class,
                    context.getRequiredTestClass(), transport(context))).getOrComputeIfAbsent(Results.class);
        }
    }

    /** {@code stream} in StreamTest. */
    private static String transport(ExtensionContext context) {
        ExtensionContext outermost = context;
        while (outermost.getParent().orElseThrow().getTestClass().isPresent()) {
            outermost = outermost.getParent().orElseThrow();
        }
        return outermost.getRequiredTestClass().getSimpleName().replace("Test", "").toLowerCase(Locale.ROOT);
    }

    private static Optional<Inapplicable> find(ExtensionContext context) {
        String transport = transport(context);
        String method = context.getTestMethod().map(found -> "." + found.getName()).orElse("");
        return Stream.<Class<?>>iterate(context.getRequiredTestClass(), type -> type != Object.class,
                Class::getSuperclass)
                .flatMap(type -> Inapplicable.LIST.stream().filter(line ->
                        line.test.equals(type.getSimpleName() + method)))
                .filter(line -> line.where.equals("all") || line.where.equals(transport)).findFirst();
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return context.getTestClass().flatMap(type -> find(context))
                .map(line -> ConditionEvaluationResult.disabled("does not apply: " + line.reason))
                .orElseGet(() -> ConditionEvaluationResult.enabled("it applies"));
    }

    @Override
    public void testSuccessful(ExtensionContext context) {
        Results.of(context).passed++;
    }

    @Override
    public void testFailed(ExtensionContext context, Throwable cause) {
        Results.of(context).failed++;
    }

    @Override
    public void testDisabled(ExtensionContext context, Optional<String> reason) {
        if (find(context).isEmpty()) {
            Results.of(context).skipped.add(context.getDisplayName() + ": " + reason.orElse(""));
        }
    }

    @Override
    public void testAborted(ExtensionContext context, Throwable cause) {
        testDisabled(context, Optional.of(cause.toString()));
    }

    @Override
    public void afterAll(ExtensionContext context) {
        Results results = Results.of(context);
        assertEquals(List.of(), results.skipped, "skipped, and docs/conformance.md does not say why");
        if (results.passed > 0 && results.failed == 0) {
            Evidence.of("Netty's testsuite", context.getRequiredTestClass().getSuperclass().getSimpleName() + " on "
                    + transport(context));
        }
    }
}
