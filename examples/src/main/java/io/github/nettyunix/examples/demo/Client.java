package io.github.nettyunix.examples.demo;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.examples.Running;
import io.github.nettyunix.examples.broker.BrokerClient;
import io.netty.channel.EventLoopGroup;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** The process that may not open the files, but reads them. */
final class Client {
    private static final String NOT_GRANTED = "a name that comes back in the answer ".repeat(10);

    private final Path folder;
    private final EventLoopGroup group;

    private Client(Path folder, EventLoopGroup group) {
        this.folder = folder;
        this.group = group;
    }

    static void run(Path folder) throws Exception {
        // Standard input ends when the broker is ready.
        System.in.transferTo(OutputStream.nullOutputStream());
        System.out.println("client: started as process " + ProcessHandle.current().pid() + ", user "
                + System.getProperty("user.name"));
        for (String name : Demo.FILES) {
            tryToOpen(folder.resolve(name));
        }
        try (Running running = new Running()) {
            Client client = new Client(folder, running.group());
            for (SocketType type : Demo.types()) {
                client.fetch(type);
                client.echo(type);
            }
        }
    }

    private static void tryToOpen(Path file) throws IOException {
        try (InputStream opened = Files.newInputStream(file)) {
            throw new IllegalStateException("the client can open " + file + " itself, this shows nothing");
        } catch (IOException e) {
            System.out.println("client: cannot open " + file.getFileName() + ": " + e.getClass().getSimpleName());
        }
    }

    private List<UnixFileDescriptor> ask(SocketType type, List<String> names) throws Exception {
        return BrokerClient.open(group, type, Demo.brokerSocket(folder, type), Demo.clientSocket(folder, type), names);
    }

    /** Requests the files through one socket. */
    private void fetch(SocketType type) throws Exception {
        List<UnixFileDescriptor> files = ask(type, Demo.FILES);
        for (int i = 0; i < files.size(); i++) {
            try (UnixFileDescriptor file = files.get(i)) {
                String content = read(file);
                if (!content.startsWith("I am " + Demo.FILES.get(i) + ",")) {
                    throw new IOException("descriptor " + i + " is not " + Demo.FILES.get(i) + ", it says: " + content);
                }
                System.out.println("client: " + type + ": descriptor " + file.intValue() + " says: " + content.strip());
            }
        }
    }

    /** Reads by position, because all holders of this open file share its offset. */
    private static String read(UnixFileDescriptor file) throws IOException {
        try (FileChannel channel = file.toFileChannel(StandardOpenOption.READ)) {
            ByteBuffer bytes = ByteBuffer.allocate(256);
            channel.read(bytes, 0);
            return StandardCharsets.UTF_8.decode(bytes.flip()).toString();
        }
    }

    /** Shows that bytes pass in both directions as well: a refusal contains the requested path. */
    private void echo(SocketType type) throws Exception {
        try {
            ask(type, List.of(NOT_GRANTED));
        } catch (IOException e) {
            if (!e.getMessage().contains(NOT_GRANTED)) {
                throw e;
            }
            System.out.println("client: " + type + ": was refused what is not granted, and " + NOT_GRANTED.length()
                    + " bytes came back as they were sent");
            return;
        }
        throw new IOException("the broker does not refuse what is not granted");
    }
}
