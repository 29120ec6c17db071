package io.github.nettyunix.fire;

import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.UnixChannel;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a case that waits in vain needs to be explained, since it will hardly happen again: the channels, what the
 * kernel says about their sockets and to whom it reports events, and what the threads are doing.
 */
final class Diagnosis {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final int DEEPEST = 25;

    private final StringBuilder text = new StringBuilder();
    private final Path folder;
    /** The open ones; by the number of the descriptor. */
    private final Map<String, Channel> channels = new HashMap<>();

    private Diagnosis(Path folder, List<Channel> all) {
        this.folder = folder;
        all.stream().filter(Channel::isOpen)
                .forEach(channel -> channels.put(String.valueOf(((UnixChannel) channel).fd().intValue()), channel));
    }

    /** @param folder where the sockets are bound */
    static String of(Path folder, List<Channel> channels) {
        Diagnosis diagnosis = new Diagnosis(folder, channels);
        diagnosis.channels();
        diagnosis.watched();
        diagnosis.sockets();
        return diagnosis.text + threads();
    }

    private void channels() {
        channels.forEach((number, channel) -> {
            text.append("\n  channel ").append(channel.attr(Sockets.NUMBER)).append(", descriptor ").append(number)
                    .append(channel.isRegistered() ? " on " + channel.eventLoop() : " not registered")
                    .append(channel.isActive() ? "" : " not active").append(channel.isWritable() ? "" : " not writable")
                    .append(channel.config().isAutoRead() ? " reading" : "");
            if (channel instanceof DuplexChannel connection) {
                text.append(connection.isInputShutdown() ? " input shut down" : "")
                        .append(connection.isOutputShutdown() ? " output shut down" : "");
            }
            state("readLoop", channel);
            state("interest", channel);
        });
    }

    /** The fields of a part of a channel that are no parts themselves. Other threads may change them meanwhile. */
    private void state(String part, Channel channel) {
        Object object = valueOf(part, channel.getClass(), channel);
        text.append("; ").append(part);
        for (Field field : object.getClass().getDeclaredFields()) {
            boolean isState = field.getType().isPrimitive() || field.getType().isEnum()
                    || Throwable.class.isAssignableFrom(field.getType());
            if (isState && !Modifier.isStatic(field.getModifiers())) {
                text.append(' ').append(field.getName()).append('=')
                        .append(valueOf(field.getName(), object.getClass(), object));
            }
        }
    }

    private static Object valueOf(String name, Class<?> declaring, Object object) {
        for (Class<?> type = declaring; type != null; type = type.getSuperclass()) {
            try {
                Field field = type.getDeclaredField(name);
                field.setAccessible(true);
                return field.get(object);
            } catch (NoSuchFieldException e) {
                // A superclass has it.
            } catch (IllegalAccessException e) {
                return e;
            }
        }
        return "unknown";
    }

    /** What each epoll descriptor watches these channels for. */
    private void watched() {
        try (DirectoryStream<Path> open = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path descriptor : open) {
                if (link(descriptor).equals("anon_inode:[eventpoll]")) {
                    Path info = Path.of("/proc/self/fdinfo").resolve(descriptor.getFileName());
                    for (String line : Files.readAllLines(info)) {
                        String[] words = line.trim().split("\\s+");
                        if (words[0].equals("tfd:") && channels.containsKey(words[1])) {
                            text.append("\n  epoll ").append(descriptor.getFileName()).append(": ").append(line);
                        }
                    }
                }
            }
        } catch (IOException e) {
            text.append("\n  ").append(e);
        }
    }

    private static String link(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            // It is closed by now.
            return "";
        }
    }

    /** The state of these channels' sockets and of their peers', and the bytes in their queues. */
    private void sockets() {
        List<String> inodes = channels.keySet().stream()
                .map(number -> link(DESCRIPTORS.resolve(number)).replaceAll("\\D", "")).toList();
        try {
            Process ss = new ProcessBuilder("ss", "-xanO").redirectErrorStream(true).start();
            ss.getOutputStream().close();
            new String(ss.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> line.contains(folder + "/")
                            || List.of(line.split("\\s+")).stream().anyMatch(inodes::contains))
                    .forEach(line -> text.append("\n  ").append(line.replaceAll("\\s+", " ")));
        } catch (IOException e) {
            text.append("\n  ").append(e);
        }
    }

    /** What all threads are doing. */
    static String threads() {
        StringBuilder stacks = new StringBuilder();
        Thread.getAllStackTraces().forEach((thread, elements) -> {
            if (thread.getName().startsWith("process reaper")) {
                // One for each peer.
                return;
            }
            stacks.append("\n  ").append(thread.getName()).append(' ').append(thread.getState());
            for (int i = 0; i < Math.min(elements.length, DEEPEST); i++) {
                stacks.append("\n    ").append(elements[i]);
            }
        });
        return stacks.toString();
    }
}
