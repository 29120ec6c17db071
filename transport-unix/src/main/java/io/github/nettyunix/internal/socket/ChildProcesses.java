package io.github.nettyunix.internal.socket;

import java.nio.ByteBuffer;
import java.util.List;

/** System calls that start programs and wait for them. See posix_spawn(3), waitid(2), kill(2). */
public final class ChildProcesses {
    private ChildProcesses() {
    }

    /**
     * Starts a program, which is looked for on the PATH.
     *
     * @param arguments the program first
     * @param variables its environment, as NAME=value; {@code null} for this process's
     * @param sources the descriptors of this process, all of them above the highest of {@code numbers}
     * @param numbers their numbers in the child, ascending; of the others, 0 to 2 are inherited, the rest are closed
     * @return the pid, or a negative errno
     */
    public static int spawn(List<String> arguments, List<String> variables, int[] sources, int[] numbers) {
        List<byte[]> strings = encode(arguments);
        List<byte[]> environment = encode(variables == null ? List.of() : variables);
        long stringsAt = (long) sources.length * 2 * Integer.BYTES
                + (strings.size() + environment.size() + 2L) * Long.BYTES;
        long size = stringsAt + length(strings) + length(environment);
        NativeMemory memory = new NativeMemory(size);
        try {
            ByteBuffer buffer = memory.buffer(0, Math.toIntExact(size));
            for (int i = 0; i < sources.length; i++) {
                buffer.putInt(sources[i]).putInt(numbers[i]);
            }
            buffer.position((int) stringsAt);
            strings.forEach(buffer::put);
            environment.forEach(buffer::put);
            return spawn(memory.address(), size, sources.length, strings.size(),
                    variables == null ? -1 : environment.size());
        } finally {
            memory.free();
        }
    }

    private static List<byte[]> encode(List<String> strings) {
        return strings.stream().map(CString::of).toList();
    }

    private static long length(List<byte[]> strings) {
        return strings.stream().mapToLong(string -> string.length).sum();
    }

    /** Waits until a child has ended. Until {@link #reap} no other process gets its pid. */
    public static native int awaitEnd(int pid);

    /** Removes a child that has ended. Returns its exit status, or 128 plus the number of the signal that killed it. */
    public static native int reap(int pid);

    public static native int signal(int pid, int number);

    private static native int spawn(long memory, long size, int descriptors, int arguments, int variables);
}
