package io.github.nettyunix.examples.syslog;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;

class SyslogTest {
    /** Messages that no library sends, and one from Python's logging, which ends with a NUL. */
    private static final String PYTHON = """
            import logging.handlers, socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.connect(sys.argv[1])
            for message in sys.argv[2:]:
                s.send(message.encode())
            logging.handlers.SysLogHandler(address=sys.argv[1]).emit(logging.makeLogRecord(
                {'levelno': logging.WARNING, 'levelname': 'WARNING', 'msg': 'python: by name'}))
            """;

    @TempDir
    private Path folder;

    @Test
    void printsWhatLoggerAndPythonLogAndWhoTheyAre() throws Exception {
        String socket = folder.resolve("log").toString();
        try (Program syslog = Program.example("syslog", socket)) {
            syslog.awaitLine("listening on " + socket);
            logs(syslog, "user.notice (13) app: hello", "logger", "-u", socket, "-t", "app", "hello");
            logs(syslog, "local3.err (155) app[PID]: with: colon", "logger", "-u", socket, "-p", "local3.err", "-t",
                    "app", "-i", "with: colon");
            logs(syslog, "mail.debug (23) app: RFC 3164", "logger", "-u", socket, "--rfc3164", "-p", "mail.debug", "-t",
                    "app", "RFC 3164");
            logs(syslog, "user.notice (13) app[PID]: RFC 5424", "logger", "-u", socket, "--rfc5424", "--sd-id", "a@1",
                    "--sd-param", "b=\"\\]\"", "-t", "app", "-i", "RFC 5424");
            Evidence.of("logger", "syslog");

            try (Program python = Program.start("python3", "-c", PYTHON, socket, "", "no priority", "<192>too high",
                    "<34>1 - - - - - -", "<0>a: two\nlines \u001b[31m",
                    "<13>Nov 27 09:07:56 several words: and a colon")) {
                assertEquals(0, python.exitValue(), python.output());
                awaitMessage(syslog, python, "user.notice (13) ");
                awaitMessage(syslog, python, "user.notice (13) no priority");
                awaitMessage(syslog, python, "user.notice (13) <192>too high");
                awaitMessage(syslog, python, "auth.crit (34) ");
                awaitMessage(syslog, python, "kern.emerg (0) a: two?lines ?[31m");
                awaitMessage(syslog, python, "user.notice (13) words: and a colon");
                awaitMessage(syslog, python, "user.warning (12) python: by name");
            }
            Evidence.of("CPython", "syslog");
        }
    }

    private static void logs(Program syslog, String message, String... command) throws Exception {
        try (Program logger = Program.start(command)) {
            assertEquals(0, logger.exitValue(), logger.output());
            awaitMessage(syslog, logger, message.replace("PID", Long.toString(logger.process().pid())));
        }
    }

    private static void awaitMessage(Program syslog, Program sender, String message) throws Exception {
        UnixCredentials own = UnixCredentials.ofThisProcess();
        assertEquals(message + " (process " + sender.process()
                .pid() + ", user " + own.uid() + ", group " + own.gid() + ")",
                syslog.awaitLine(".+").replaceFirst("$0"));
    }
}
