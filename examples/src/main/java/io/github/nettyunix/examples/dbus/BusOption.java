package io.github.nettyunix.examples.dbus;

import io.github.nettyunix.UnixSocketAddress;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The option that selects the bus. */
final class BusOption {
    @Option(names = "--address", paramLabel = "ADDRESS", defaultValue = "${env:DBUS_SESSION_BUS_ADDRESS}",
            converter = AddressConverter.class,
            description = "the bus: unix:path=PATH or unix:abstract=NAME; default: $$DBUS_SESSION_BUS_ADDRESS")
    private UnixSocketAddress address;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    UnixSocketAddress address() {
        if (address == null) {
            throw new ParameterException(command.commandLine(),
                    "There is no $DBUS_SESSION_BUS_ADDRESS, so --address is needed");
        }
        return address;
    }

    /** Selects the first address of a Unix socket from a list of addresses. */
    private static final class AddressConverter implements ITypeConverter<UnixSocketAddress> {
        private static final Pattern UNIX = Pattern.compile("(?:^|;)unix:(?:[^;]*,)?(path|abstract)=([^,;]*)");

        @Override
        public UnixSocketAddress convert(String value) {
            Matcher unix = UNIX.matcher(value);
            if (!unix.find()) {
                throw new TypeConversionException("'" + value + "' is not unix:path=PATH or unix:abstract=NAME");
            }
            try {
                // Escapes are those of URLs, except that a plus is literal.
                String name = URLDecoder.decode(unix.group(2).replace("+", "%2B"), StandardCharsets.UTF_8);
                return unix.group(1).equals("path") ? UnixSocketAddress.of(name) : UnixSocketAddress.ofAbstract(name);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
