package io.github.nettyunix.testing;

import io.github.nettyunix.SocketType;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What {@code ./verify --tests} leaves to {@code ./verify}: a combination of which each part is tested in another one.
 */
public final class Repetitions {
    private static final boolean LEFT_OUT = "left-out".equals(System.getProperty("nettyunix.test.repetitions"));
    static final String REASON = "does not apply: ./verify --tests leaves repetitions out";

    /** Tests of which each part is tested elsewhere. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @ExtendWith(Condition.class)
    public @interface Repeated {
    }

    private static final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            return LEFT_OUT ? ConditionEvaluationResult.disabled(REASON)
                    : ConditionEvaluationResult.enabled("it is no repetition");
        }
    }

    private Repetitions() {
    }

    /** Whether repetitions are left out. */
    public static boolean areLeftOut() {
        return LEFT_OUT;
    }

    /**
     * Whether to leave out tests with this type. As on FreeBSD, the selector is the one of the run as on macOS and the
     * library the one of epoll's run; what neither has is that selector with seqpacket sockets.
     */
    static boolean leaveOut(SocketType type) {
        return LEFT_OUT && Loops.selector().equals("kqueue-freebsd") && type != SocketType.SEQPACKET;
    }
}
