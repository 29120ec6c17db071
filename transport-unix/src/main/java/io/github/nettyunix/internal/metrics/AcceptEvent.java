package io.github.nettyunix.internal.metrics;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

@Name("io.github.nettyunix.Accept")
@Label("Unix Socket Accept")
@Description("A connection that a server has accepted, or could not accept")
final class AcceptEvent extends AbstractUnixEvent {
    static final AcceptEvent INSTANCE = new AcceptEvent();

    @Label("Address")
    @Description("The address of the server")
    String address;

    @Label("Connection")
    @Description("The id of the channel of the connection; null if there is none")
    String connection;

    @Label("Peer")
    @Description("The address of the client; null if there is no connection")
    String peer;

    @Label("Error")
    @Description("Why no connection was accepted; null if one was")
    String error;
}
