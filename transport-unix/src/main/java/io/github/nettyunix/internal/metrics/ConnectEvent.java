package io.github.nettyunix.internal.metrics;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

@Name("io.github.nettyunix.Connect")
@Label("Unix Socket Connect")
@Description("A connect that has succeeded or failed. Its duration includes the time for which the backlog was full.")
final class ConnectEvent extends AbstractUnixEvent {
    static final ConnectEvent INSTANCE = new ConnectEvent();

    @Label("Address")
    String address;

    @Label("Retries")
    @Description("How often the connect was repeated because the server's backlog was full")
    long retries;

    @Label("Error")
    @Description("Why it has failed; null if it has succeeded")
    String error;
}
