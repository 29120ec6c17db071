package io.github.nettyunix.examples.frameworks.micronaut;

import io.github.nettyunix.UnixPeer;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.MediaType;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.server.netty.NettyHttpRequest;

import java.io.IOException;

/** Greets the process that asks. */
@Controller
public class HelloController {
    @Get(uri = "/hello", produces = MediaType.TEXT_PLAIN)
    String hello(HttpRequest<?> request) throws IOException {
        UnixPeer peer = (UnixPeer) ((NettyHttpRequest<?>) request).getChannelHandlerContext().channel();
        return "hello " + peer.peerCredentials().pid();
    }
}
