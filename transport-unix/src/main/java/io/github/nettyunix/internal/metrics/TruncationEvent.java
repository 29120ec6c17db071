package io.github.nettyunix.internal.metrics;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

@Name("io.github.nettyunix.Truncation")
@Label("Unix Socket Truncation")
@Description("A message that was lost because it, or its control data, exceeded a limit")
final class TruncationEvent extends AbstractUnixEvent {
    static final TruncationEvent INSTANCE = new TruncationEvent();

    @Label("Address")
    @Description("The address of the peer, or of the channel if the peer has no name")
    String address;

    @Label("Sender")
    @Description("The address that a datagram was sent from; null on a connection")
    String sender;

    @Label("Error")
    @Description("The exception that the pipeline receives")
    String error;
}
