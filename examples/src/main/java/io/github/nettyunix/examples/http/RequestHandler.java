package io.github.nettyunix.examples.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.QueryStringDecoder;

import java.io.IOException;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Handles GET and HEAD requests. */
final class RequestHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final String PAGE = "<!doctype html>\n<title>Hello</title>\n<p>Hello from a Unix socket.\n";

    private final Path root;

    /** @param root a folder to serve; {@code null} for a fixed page */
    RequestHandler(Path root) {
        this.root = root;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) throws IOException {
        if (request.decoderResult().isFailure()) {
            FullHttpResponse response = text(HttpResponseStatus.BAD_REQUEST);
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            ctx.writeAndFlush(response);
        } else if (!request.method().equals(HttpMethod.GET) && !request.method().equals(HttpMethod.HEAD)) {
            FullHttpResponse response = text(HttpResponseStatus.METHOD_NOT_ALLOWED);
            response.headers().set(HttpHeaderNames.ALLOW, "GET, HEAD");
            ctx.writeAndFlush(response);
        } else if (root == null) {
            String path = new QueryStringDecoder(request.uri()).path();
            ctx.writeAndFlush(path.equals("/") ? full(HttpResponseStatus.OK, "text/html; charset=utf-8", PAGE)
                    : text(HttpResponseStatus.NOT_FOUND));
        } else {
            sendFile(ctx, request);
        }
    }

    private void sendFile(ChannelHandlerContext ctx, FullHttpRequest request) throws IOException {
        Path file = find(request.uri());
        if (file == null) {
            ctx.writeAndFlush(text(HttpResponseStatus.NOT_FOUND));
            return;
        }
        // The region closes the file when it has been sent.
        FileChannel content = FileChannel.open(file);
        HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
        String type = URLConnection.guessContentTypeFromName(file.toString());
        head.headers().set(HttpHeaderNames.CONTENT_TYPE, type == null ? HttpHeaderValues.APPLICATION_OCTET_STREAM
                : type);
        HttpUtil.setContentLength(head, content.size());
        ctx.write(head);
        if (request.method().equals(HttpMethod.GET)) {
            ctx.write(new DefaultFileRegion(content, 0, content.size()));
        } else {
            content.close();
        }
        ctx.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
    }

    /** Returns the requested file; {@code null} if it does not exist, is not readable, or is not below the root. */
    private Path find(String uri) {
        try {
            Path file = root.resolve("." + new QueryStringDecoder(uri).path()).toRealPath();
            Path found = Files.isDirectory(file) ? file.resolve("index.html").toRealPath() : file;
            return found.startsWith(root) && Files.isRegularFile(found) && Files.isReadable(found) ? found : null;
        } catch (IOException | IllegalArgumentException e) {
            return null;
        }
    }

    private static FullHttpResponse text(HttpResponseStatus status) {
        return full(status, "text/plain; charset=utf-8", status + "\n");
    }

    private static FullHttpResponse full(HttpResponseStatus status, String type, String text) {
        ByteBuf content = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
        FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, content);
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
        HttpUtil.setContentLength(response, content.readableBytes());
        return response;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        System.err.println("closing a connection: " + cause.getMessage());
        ctx.close();
    }
}
