package io.github.nettyunix.examples.syslog;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A message that a program sends to /dev/log, in the format of
 * <a href="https://man7.org/linux/man-pages/man3/syslog.3.html">syslog(3)</a> and RFC 3164, or of RFC 5424.
 *
 * @param priority facility * 8 + severity
 * @param tag the program, optionally with its pid in brackets; empty if the message has none
 * @param text the rest
 */
record SyslogMessage(int priority, String tag, String text) {
    private static final List<String> FACILITIES = List.of("kern", "user", "mail", "daemon", "auth", "syslog", "lpr",
            "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
            "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7");
    private static final List<String> SEVERITIES = List.of("emerg", "alert", "crit", "err", "warning", "notice", "info",
            "debug");
    private static final int USER_NOTICE = 13;

    private static final Pattern PRIORITY = Pattern.compile("<(\\d{1,3})>");
    private static final String TAG = "(?<tag>[^\\s:\\[]+(?:\\[\\d+])?): ?";
    /** A date, optionally followed by a host name, and a tag; all of them are optional. */
    private static final Pattern RFC_3164 = Pattern.compile(
            "(?:[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d (?:[^\\s:\\[]+ "
                    + "(?=" + TAG.replace("?<tag>", "") + "))?)?(?:" + TAG + ")?(?<text>.*)", Pattern.DOTALL);
    /** Version, date, host, program, pid, kind of message, structured data. */
    private static final Pattern RFC_5424 = Pattern.compile(
            "1 \\S+ \\S+ (?<tag>\\S+) (?<pid>\\S+) \\S+ (?:-|(?:\\[(?:[^\\]\\\\]|\\\\.)*])+)(?: \uFEFF?(?<text>.*))?",
            Pattern.DOTALL);

    static SyslogMessage parse(String message) {
        Matcher start = PRIORITY.matcher(message);
        int priority = start.lookingAt() ? Integer.parseInt(start.group(1)) : FACILITIES.size() * 8;
        boolean valid = priority < FACILITIES.size() * 8;
        String rest = valid ? message.substring(start.end()) : message;
        if (!valid) {
            priority = USER_NOTICE;
        }
        Matcher newer = RFC_5424.matcher(rest);
        if (newer.matches()) {
            String tag = newer.group("tag").equals("-") ? "" : newer.group("tag");
            String pid = newer.group("pid").equals("-") ? "" : "[" + newer.group("pid") + "]";
            return new SyslogMessage(priority, tag + pid, newer.group("text") == null ? "" : newer.group("text"));
        }
        Matcher older = RFC_3164.matcher(rest);
        if (!older.matches()) {
            throw new AssertionError("all of it may be missing");
        }
        return new SyslogMessage(priority, older.group("tag") == null ? "" : older.group("tag"), older.group("text"));
    }

    String facility() {
        return FACILITIES.get(priority / 8);
    }

    String severity() {
        return SEVERITIES.get(priority % 8);
    }
}
