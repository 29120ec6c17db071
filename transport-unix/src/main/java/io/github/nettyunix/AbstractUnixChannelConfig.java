package io.github.nettyunix;

import io.github.nettyunix.internal.ChannelSettings;
import io.github.nettyunix.internal.SocketOptions;
import io.github.nettyunix.internal.read.ReadLoop;
import io.github.nettyunix.internal.write.DescriptorSizeEstimator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.RecvByteBufAllocator;

import java.util.Map;

/** Gets and sets the options of all channels, servers included. */
abstract class AbstractUnixChannelConfig extends DefaultChannelConfig {
    private final SocketOptions options;
    final ChannelSettings settings;
    private final ReadLoop readLoop;

    AbstractUnixChannelConfig(Channel channel, RecvByteBufAllocator allocator, SocketOptions options,
            ChannelSettings settings, ReadLoop readLoop) {
        super(channel, allocator);
        this.options = options;
        this.settings = settings;
        this.readLoop = readLoop;
        super.setMessageSizeEstimator(DescriptorSizeEstimator.DEFAULT);
    }

    @Override
    public Map<ChannelOption<?>, Object> getOptions() {
        return getOptions(super.getOptions(), options.options());
    }

    @Override
    public <T> T getOption(ChannelOption<T> option) {
        return options.contains(option) ? options.get(settings, option) : super.getOption(option);
    }

    @Override
    public <T> boolean setOption(ChannelOption<T> option, T value) {
        validate(option, value);
        if (options.contains(option)) {
            options.set(settings, option, value);
            return true;
        }
        return super.setOption(option, value) || SocketOptions.isForeign(option);
    }

    @Override
    protected void autoReadCleared() {
        readLoop.stop();
    }
}
