package io.github.nettyunix.frameworks.dbus;

import org.freedesktop.dbus.connections.BusAddress;
import org.freedesktop.dbus.connections.config.TransportConfig;
import org.freedesktop.dbus.connections.transports.AbstractTransport;
import org.freedesktop.dbus.spi.transport.ITransportProvider;
import org.freedesktop.dbus.utils.Util;

import java.nio.file.Path;

/**
 * Makes this transport dbus-java's for addresses that begin with {@code unix:}. An application adds it as a service,
 * together with {@link UnixSocketProvider}, in two files of its own:
 * {@code META-INF/services/org.freedesktop.dbus.spi.transport.ITransportProvider} and
 * {@code META-INF/services/org.freedesktop.dbus.spi.message.ISocketProvider}. It replaces dbus-java's own transports
 * for Unix sockets: a program may have one. It connects to buses, and does not listen.
 */
public final class UnixTransportProvider implements ITransportProvider {
    /** Creates the provider. */
    public UnixTransportProvider() {
        // It has no state.
    }

    /** {@inheritDoc} */
    @Override
    public String getTransportName() {
        return "netty-transport-unix";
    }

    /** {@inheritDoc} */
    @Override
    public String getSupportedBusType() {
        return "UNIX";
    }

    /** {@inheritDoc} */
    @Override
    public AbstractTransport createTransport(BusAddress address, TransportConfig config) {
        return new DBusTransport(address, config);
    }

    /** {@inheritDoc} */
    @Override
    public String createDynamicSessionAddress(boolean listeningSocket) {
        String guid = Util.genGUID();
        Path path = Path.of(System.getProperty("java.io.tmpdir"), "dbus-" + guid);
        return "unix:path=" + path + (listeningSocket ? ",listen=true" : "") + ",guid=" + guid;
    }
}
