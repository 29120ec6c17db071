/**
 * Unix domain sockets for Netty. The event loops are those of {@code io.netty.transport.classes.epoll}, or on macOS and
 * the BSDs {@code io.netty.transport.classes.kqueue}, which an application on the module path has to require or add
 * itself, with the module of its native library.
 */
module io.github.nettyunix {
    requires transitive io.netty.buffer;
    requires transitive io.netty.common;
    requires transitive io.netty.transport;
    requires transitive io.netty.transport.unix.common;
    requires static io.netty.transport.classes.epoll;
    requires static io.netty.transport.classes.io_uring;
    requires static io.netty.transport.classes.kqueue;
    requires static jdk.jfr;

    exports io.github.nettyunix;
    exports io.github.nettyunix.handler;
    exports io.github.nettyunix.process;
}
