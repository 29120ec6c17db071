package io.github.nettyunix.examples.ucspi;

import picocli.CommandLine.Option;

/** What is printed. */
final class Verbosity {
    private boolean errors = true;
    private boolean status;

    @Option(names = "-q", description = "print nothing")
    void setQuiet(boolean given) {
        errors = false;
        status = false;
    }

    @Option(names = "-Q", description = "print errors in spite of -q, the default")
    void setErrors(boolean given) {
        errors = true;
    }

    @Option(names = "-v", description = "print errors and when programs start and end")
    void setVerbose(boolean given) {
        errors = true;
        status = true;
    }

    void error(String line) {
        if (errors) {
            System.err.println(line);
        }
    }

    void status(String line) {
        if (status) {
            System.err.println(line);
        }
    }
}
