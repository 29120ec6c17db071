package io.github.nettyunix.examples.ucspi;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.process.ChildProcess;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;

/**
 * The user and the group that programs run as. A JVM cannot change its own, so setpriv(1) changes those of each
 * program.
 *
 * @param uid the user, or {@code null} for that of this process
 * @param gid the only group, or {@code null} for those of this process
 */
record ProgramUser(Integer uid, Integer gid) {
    static final ProgramUser SAME = new ProgramUser(null, null);

    /** Returns a command that starts another one as this user. */
    List<String> start(List<String> command) {
        List<String> all = new ArrayList<>();
        if (uid != null || gid != null) {
            all.add("setpriv");
            if (uid != null) {
                all.add("--reuid=" + uid);
            }
            if (gid != null) {
                all.addAll(List.of("--regid=" + gid, "--groups=" + gid));
            }
            all.add("--");
        }
        all.addAll(command);
        return all;
    }

    int effectiveUid() {
        return uid == null ? UnixCredentials.ofThisProcess().uid() : uid;
    }

    int effectiveGid() {
        return gid == null ? UnixCredentials.ofThisProcess().gid() : gid;
    }

    /**
     * Checks that programs can be started as this user.
     *
     * @throws IOException if setpriv has failed, which has printed the reason
     */
    void check() throws IOException, InterruptedException, ExecutionException {
        if (!equals(SAME)) {
            int status = ChildProcess.start(start(List.of("true")), System.getenv(), Map.of()).onExit().get();
            if (status != 0) {
                throw new IOException("programs cannot be started as user " + effectiveUid() + ", group "
                        + effectiveGid());
            }
        }
    }
}
