package io.github.nettyunix.testing;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixTransport;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A test, or a class of tests, that is about one socket type: it does not apply where the platform lacks it. */
@Target({ElementType.METHOD, ElementType.TYPE})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(OnlyWith.Condition.class)
public @interface OnlyWith {
    SocketType value();

    final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            return AnnotationSupport.findAnnotation(context.getElement(), OnlyWith.class).map(OnlyWith::value)
                    .filter(type -> !UnixTransport.supports(type) || Repetitions.leaveOut(type))
                    .map(type -> ConditionEvaluationResult.disabled(UnixTransport.supports(type) ? Repetitions.REASON
                            : "does not apply: there are no " + type + " sockets"))
                    .orElse(ConditionEvaluationResult.enabled("it applies"));
        }
    }
}
