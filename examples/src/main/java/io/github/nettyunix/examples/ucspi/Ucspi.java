package io.github.nettyunix.examples.ucspi;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.process.ChildProcess;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Starts programs with an environment that describes their connection, as defined by the protocol UNIX of UCSPI, the
 * client-server program interface.
 */
final class Ucspi {
    private Ucspi() {
    }

    /**
     * Starts a program that has a connection as two of its descriptors.
     *
     * @param user whom it runs as
     * @param fd the connection, which is released; the program has descriptors of its own
     * @param remote the credentials of the peer
     * @param socket the server's address
     */
    static ChildProcess start(List<String> program, ProgramUser user, UnixFileDescriptor fd, UnixCredentials remote,
            UnixSocketAddress socket, int in, int out) throws IOException {
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.put("PROTO", "UNIX");
        environment.put("UNIXLOCALPATH", socket.toString());
        environment.put("UNIXLOCALUID", Integer.toString(user.effectiveUid()));
        environment.put("UNIXLOCALGID", Integer.toString(user.effectiveGid()));
        environment.put("UNIXREMOTEPID", Integer.toString(remote.pid()));
        environment.put("UNIXREMOTEEUID", Integer.toString(remote.uid()));
        environment.put("UNIXREMOTEEGID", Integer.toString(remote.gid()));
        // The program's own pid, which only its process knows.
        List<String> command = new ArrayList<>(List.of("sh", "-c", "UNIXLOCALPID=$$ exec \"$@\"", "sh"));
        command.addAll(program);
        try (fd) {
            // Programs expect blocking descriptors.
            fd.setBlocking(true);
            return ChildProcess.start(user.start(command), environment, Map.of(in, fd, out, fd));
        }
    }
}
