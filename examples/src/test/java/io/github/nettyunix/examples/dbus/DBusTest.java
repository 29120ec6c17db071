package io.github.nettyunix.examples.dbus;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The bus is dbus-daemon; the peer is its own library, libdbus, called by CPython. */
class DBusTest {
    private static final String NAME = "com.example.Snapshot";
    /** The pattern of how dbus-send prints one. */
    private static final String MACHINE_ID = "^ *string \"(.*)\"$";

    /** What both scripts need: the result types of libdbus's functions, a bus, and a way to read and write values. */
    private static final String LIBDBUS = """
            import ctypes, os, sys
            libdbus = ctypes.CDLL('libdbus-1.so.3')
            pointer = ctypes.c_void_p

            def call(name, *arguments):
                function = getattr(libdbus, name)
                function.restype = pointer
                return function(*(pointer(a) if isinstance(a, int) and a > 1 << 31 else a for a in arguments))

            def append(message, *values):
                iterator = ctypes.create_string_buffer(256)
                call('dbus_message_iter_init_append', message, iterator)
                for type, value in values:
                    call('dbus_message_iter_append_basic', iterator, ord(type), ctypes.byref(value))

            def read(message, *types):
                iterator = ctypes.create_string_buffer(256)
                call('dbus_message_iter_init', message, iterator)
                values = []
                for type in types:
                    value = ctypes.c_int() if type == 'h' else ctypes.c_uint64()
                    call('dbus_message_iter_get_basic', iterator, ctypes.byref(value))
                    call('dbus_message_iter_next', iterator)
                    values.append(value.value)
                return values

            class Error(ctypes.Structure):
                _fields_ = [('name', ctypes.c_char_p), ('message', ctypes.c_char_p), ('rest', ctypes.c_char * 64)]
            error = Error()
            call('dbus_error_init', ctypes.byref(error))
            bus = call('dbus_connection_open_private', sys.argv[1].encode(), ctypes.byref(error))
            call('dbus_bus_register', bus, ctypes.byref(error))
            interface = b'io.github.nettyunix.Snapshot'
            """;

    private static final String CALLER = LIBDBUS + """
            def take(mode):
                fd = os.open(sys.argv[3], mode)
                message = call('dbus_message_new_method_call', sys.argv[2].encode(), b'/io/github/nettyunix/Snapshot',
                               interface, b'Take')
                append(message, ('h', ctypes.c_int(fd)))
                reply = call('dbus_connection_send_with_reply_and_block', bus, message, 20000, ctypes.byref(error))
                return reply and read(reply, 'h', 't')
            snapshot, size = take(os.O_RDONLY)
            open(sys.argv[3], 'w').write('something else')
            print(size, os.pread(snapshot, 1000, 0), os.readlink(f'/proc/self/fd/{snapshot}'))
            try:
                os.pwrite(snapshot, b'x', 0)
            except OSError as e:
                print(e.strerror)
            take(os.O_WRONLY)
            print(error.name.decode(), error.message.decode())
            """;

    private static final String SERVER = LIBDBUS + """
            call('dbus_bus_request_name', bus, sys.argv[2].encode(), 4, ctypes.byref(error))
            print('serving', flush=True)
            while call('dbus_connection_read_write', bus, -1):
                while message := call('dbus_connection_pop_message', bus):
                    if libdbus.dbus_message_is_method_call(pointer(message), interface, b'Take'):
                        file, = read(message, 'h')
                        content = os.pread(file, 1000, 0)
                        copy = os.memfd_create('copy')
                        os.pwrite(copy, b'libdbus got ' + content, 0)
                        reply = call('dbus_message_new_method_return', message)
                        append(reply, ('h', ctypes.c_int(copy)), ('t', ctypes.c_uint64(len(content))))
                        call('dbus_connection_send', bus, reply, None)
                        call('dbus_connection_flush', bus)
            """;

    @TempDir
    private static Path folder;
    private static Program daemon;
    private static String address;
    private static Program service;

    @BeforeAll
    static void serve() throws Exception {
        address = "unix:path=" + folder.resolve("bus");
        daemon = startBus("bus", "EXTERNAL");
        service = Program.example("dbus", "serve", "--address", address, NAME);
        service.awaitLine("serving as " + NAME);
    }

    private static Program startBus(String socket, String authentication) throws Exception {
        Path configuration = Files.writeString(folder.resolve(socket + ".conf"), """
                <busconfig>
                  <listen>unix:path=%s</listen>
                  <auth>%s</auth>
                  <policy context="default">
                    <allow send_destination="*"/>
                    <allow receive_sender="*"/>
                    <allow own="*"/>
                  </policy>
                </busconfig>
                """.formatted(folder.resolve(socket), authentication));
        Program bus = Program.start("dbus-daemon", "--config-file=" + configuration, "--nofork", "--print-address");
        bus.awaitLine("^unix:path=");
        return bus;
    }

    /** The service ends with its bus. */
    @AfterAll
    static void stop() throws Exception {
        try (Program bus = daemon; Program serving = service) {
            serving.awaitClosed(folder.toString());
            serving.awaitClosed("memfd:snapshot");
            bus.terminate();
            serving.awaitLine("the bus has closed the connection");
            assertEquals(1, serving.exitValue());
        }
    }

    private static Path file(String content) throws IOException {
        return Files.writeString(Files.createTempFile(folder, "file", ""), content);
    }

    @Test
    void libdbusPassesAFileAndGetsASnapshotThatNobodyCanChange() throws Exception {
        try (Program python = Program.start("python3", "-c", CALLER, address, NAME,
                file("what is in the file").toString())) {
            python.awaitLine("^19 b'what is in the file' /memfd:snapshot \\(deleted\\)$");
            python.awaitLine("^Operation not permitted$");
            python.awaitLine(
                    "^org.freedesktop.DBus.Error.Failed toFileChannel of descriptor .* it is open for writing only$");
            assertEquals(0, python.exitValue());
        }
        Evidence.of("libdbus", "descriptors in a call and its reply, called by libdbus");
    }

    @Test
    void libdbusAnswersWithADescriptor() throws Exception {
        String name = "com.example.FromPython";
        try (Program python = Program.start("python3", "-c", SERVER, address, name)) {
            python.awaitLine("^serving$");
            try (Program call = Program.example("dbus", "call", "--address", address, name,
                    file("what was passed").toString())) {
                assertEquals(0, call.exitValue(), call::output);
                assertTrue(call.output().contains("a snapshot of 15 bytes\n"), call::output);
                assertTrue(call.output().contains("libdbus got what was passed"), call::output);
            }
        }
        Evidence.of("libdbus", "descriptors in a call and its reply, answered by libdbus");
    }

    @Test
    void bothEndsOfTheExampleUnderstandEachOther() throws Exception {
        try (Program call = Program.example("dbus", "call", "--address", address, NAME, file("a text\n").toString())) {
            call.awaitLine("^a snapshot of 7 bytes$");
            call.awaitLine("^a text$");
            assertEquals(0, call.exitValue());
        }
    }

    @Test
    void dbusSendSeesWhatCanBeCalled() throws Exception {
        try (Program send = dbusSend(NAME, SnapshotService.PATH, "org.freedesktop.DBus.Introspectable.Introspect")) {
            send.awaitLine("<method name=\"Take\">");
            assertEquals(0, send.exitValue());
        }
        try (Program send = dbusSend(NAME, SnapshotService.PATH, "io.github.nettyunix.Snapshot.Take", "string:text")) {
            send.awaitLine("Error org.freedesktop.DBus.Error.UnknownMethod: there is no Take\\(s\\)");
            assertEquals(1, send.exitValue());
        }
        Evidence.of("dbus-send", "calls without descriptors, and an error");
    }

    /** As every application does, on any object. */
    @Test
    void dbusSendPingsAndAsksForTheMachine() throws Exception {
        String ofTheBus;
        try (Program send = dbusSend(DBusConnection.BUS, "/", "org.freedesktop.DBus.Peer.GetMachineId")) {
            ofTheBus = send.awaitLine(MACHINE_ID).group(1);
        }
        for (String object : List.of("/", SnapshotService.PATH)) {
            try (Program send = dbusSend(NAME, object, "org.freedesktop.DBus.Peer.Ping")) {
                send.awaitLine("^method return ");
                assertEquals(0, send.exitValue());
            }
            try (Program send = dbusSend(NAME, object, "org.freedesktop.DBus.Peer.GetMachineId")) {
                assertEquals(ofTheBus, send.awaitLine(MACHINE_ID).group(1));
                assertEquals(0, send.exitValue());
            }
        }
        try (Program send = dbusSend(NAME, "/", "org.freedesktop.DBus.Peer.Pong")) {
            send.awaitLine("Error org.freedesktop.DBus.Error.UnknownMethod: there is no Pong\\(\\)");
            assertEquals(1, send.exitValue());
        }
        Evidence.of("dbus-send", "the interface that every application has, Peer");
    }

    private static Program dbusSend(String name, String object, String... methodAndArguments) {
        List<String> command = new ArrayList<>(List.of("dbus-send", "--bus=" + address, "--print-reply",
                "--dest=" + name, object));
        command.addAll(List.of(methodAndArguments));
        return Program.start(new ProcessBuilder(command));
    }

    @Test
    void refusalsAndUnknownNamesAreReported() throws Exception {
        try (Program call = Program.example("dbus", "call", "--address", address, "com.example.Nobody",
                file("").toString())) {
            call.awaitLine("dbus call: org.freedesktop.DBus.Error.ServiceUnknown: The name com.example.Nobody");
            assertEquals(1, call.exitValue());
        }
        try (Program bus = startBus("other", "ANONYMOUS");
             Program serve = Program.example("dbus", "serve", "--address", "unix:path=" + folder.resolve("other"),
                     NAME)) {
            serve.awaitLine("dbus serve: the bus does not let in user \\d+: REJECTED ANONYMOUS");
            assertEquals(1, serve.exitValue());
            assertFalse(serve.output().contains("serving"));
        }
    }
}
