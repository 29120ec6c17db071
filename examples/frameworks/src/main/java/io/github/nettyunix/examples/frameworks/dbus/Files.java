package io.github.nettyunix.examples.frameworks.dbus;

import org.freedesktop.dbus.FileDescriptor;
import org.freedesktop.dbus.annotations.DBusInterfaceName;
import org.freedesktop.dbus.interfaces.DBusInterface;

/** What the service offers on the bus. */
@DBusInterfaceName("io.github.nettyunix.examples.Files")
public interface Files extends DBusInterface {
    /** Returns a new file with the content of another one, twice. */
    FileDescriptor twice(FileDescriptor file);

    /** Returns the same text. */
    String echo(String text);
}
