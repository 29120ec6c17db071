package io.github.nettyunix.testing;

import io.github.nettyunix.SocketType;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.provider.ArgumentsSource;
import org.junit.jupiter.params.support.AnnotationConsumer;
import org.junit.jupiter.params.support.ParameterDeclarations;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.stream.Stream;

/** A test of every socket type that the platform has: {@code @EachType void aTest(SocketType type)}. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest(allowZeroInvocations = true)
@ArgumentsSource(EachType.Provider.class)
public @interface EachType {
    /** The types that the test is about. */
    SocketType[] value() default {SocketType.STREAM, SocketType.SEQPACKET, SocketType.DATAGRAM};

    final class Provider implements ArgumentsProvider, AnnotationConsumer<EachType> {
        private SocketType[] types;

        @Override
        public void accept(EachType annotation) {
            types = annotation.value();
        }

        @Override
        public Stream<Arguments> provideArguments(ParameterDeclarations parameters, ExtensionContext context) {
            return Stream.of(types).filter(Types::apply).map(Arguments::of);
        }
    }
}
