/** dbus-java on Unix sockets, with descriptors; needs {@code dbus-java-core}. */
package io.github.nettyunix.frameworks.dbus;
