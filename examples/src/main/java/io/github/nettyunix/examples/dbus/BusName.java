package io.github.nettyunix.examples.dbus;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A name on the bus. The bus disconnects clients that use an invalid one. */
record BusName(String name) {
    static final class Converter implements ITypeConverter<BusName> {
        @Override
        public BusName convert(String value) {
            if (!value.matches("[A-Za-z_-][\\w-]*(\\.[A-Za-z_-][\\w-]*)+|:[\\w-]+(\\.[\\w-]+)+")) {
                throw new TypeConversionException("'" + value + "' is not a bus name, such as com.example.Name");
            }
            return new BusName(value);
        }
    }
}
