package io.github.nettyunix.testing;

import io.netty.channel.uring.IoUring;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Leaves out all tests on io_uring where the kernel has none; ./verify says so. Surefire's execution registers it. */
public final class IoUringCondition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        // Not Loops.selector(), since Loops starts the event loops.
        if (!"io-uring".equals(System.getProperty("nettyunix.test.selector")) || IoUring.isAvailable()) {
            return ConditionEvaluationResult.enabled("the selector exists");
        }
        return ConditionEvaluationResult.disabled("left out: no io_uring here: "
                + IoUring.unavailabilityCause().getMessage());
    }
}
