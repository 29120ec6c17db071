package io.github.nettyunix.frameworks.grpc;

import io.github.nettyunix.UnixMessage;
import io.grpc.Metadata;

/**
 * Which of a connection's descriptors belong to a call. Both ends count them, from 0 on. The client puts this into the
 * call's headers, since calls may be started in another order than their descriptors were sent.
 */
record DescriptorRange(long first, int count) {
    private static final Metadata.AsciiMarshaller<DescriptorRange> MARSHALLER = new Metadata.AsciiMarshaller<>() {
        @Override
        public String toAsciiString(DescriptorRange range) {
            return range.first + "+" + range.count;
        }

        @Override
        public DescriptorRange parseAsciiString(String text) {
            int plus = text.indexOf('+');
            return new DescriptorRange(Long.parseLong(text, 0, plus, 10),
                    Integer.parseInt(text, plus + 1, text.length(), 10));
        }
    };

    static final Metadata.Key<DescriptorRange> KEY = Metadata.Key.of("unix-file-descriptors", MARSHALLER);

    DescriptorRange {
        if (first < 0 || count < 0 || count > UnixMessage.MAX_FILE_DESCRIPTORS || first > Long.MAX_VALUE - count) {
            throw new IllegalArgumentException(count + " descriptors from " + first + " on; a call may have up to "
                    + UnixMessage.MAX_FILE_DESCRIPTORS);
        }
    }

    long end() {
        return first + count;
    }
}
