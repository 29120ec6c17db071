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

/** A test of rows like {@code "SEQPACKET, 1, true"}; those with a socket type that the platform lacks do not apply. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest(allowZeroInvocations = true)
@ArgumentsSource(EachRow.Provider.class)
public @interface EachRow {
    /** The arguments of each test, separated by commas. */
    String[] value();

    final class Provider implements ArgumentsProvider, AnnotationConsumer<EachRow> {
        private String[] rows;

        @Override
        public void accept(EachRow annotation) {
            rows = annotation.value();
        }

        @Override
        public Stream<Arguments> provideArguments(ParameterDeclarations parameters, ExtensionContext context) {
            return Stream.of(rows).map(row -> row.split(", *")).filter(Provider::applies)
                    .map(row -> Arguments.of((Object[]) row));
        }

        private static boolean applies(String[] row) {
            return Stream.of(SocketType.values()).filter(type -> Stream.of(row).anyMatch(type.name()::equals))
                    .allMatch(Types::apply);
        }
    }
}
