package io.github.nettyunix.internal.metrics;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

@Name("io.github.nettyunix.DescriptorsRefused")
@Label("File Descriptors Refused")
@Description("Descriptors that a handler has refused, and closed")
final class DescriptorsRefusedEvent extends AbstractUnixEvent {
    static final DescriptorsRefusedEvent INSTANCE = new DescriptorsRefusedEvent();

    @Label("Address")
    @Description("The address of the channel")
    String address;

    @Label("Count")
    @Description("How many descriptors were closed")
    int count;

    @Label("Reason")
    String reason;
}
