package io.github.nettyunix.testing;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A test about epoll itself: it does not apply to other selectors. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(OnlyOnEpoll.Condition.class)
public @interface OnlyOnEpoll {
    final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            return Loops.selector().equals("epoll") ? ConditionEvaluationResult.enabled("it applies")
                    : ConditionEvaluationResult.disabled("does not apply: it is about epoll");
        }
    }
}
