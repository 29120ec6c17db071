package io.github.nettyunix.socket;

import io.netty.util.internal.NativeLibraryLoader;
import io.netty.util.internal.PlatformDependent;

import java.util.Locale;

/** Loads the C library and says, if that fails, in one line what to do about it. Thread-safe. */
public final class NativeLibrary {
    private static final Throwable UNAVAILABILITY_CAUSE = load();

    private NativeLibrary() {
    }

    /** Why the library is not available; {@code null} if it is. */
    public static Throwable unavailabilityCause() {
        return UNAVAILABILITY_CAUSE;
    }

    private static Throwable load() {
        String name = "nettyunix_" + PlatformDependent.normalizedArch();
        String file = "META-INF/native/lib" + name + (PlatformDependent.isOsx() ? ".jnilib" : ".so");
        ClassLoader loader = NativeLibrary.class.getClassLoader();
        try {
            NativeLibraryLoader.load(name, loader);
            return null;
        } catch (LinkageError | RuntimeException e) {
            if (loader.getResource(file) == null) {
                return explain(e, file + " is not on the class path: build it on this platform with 'mvn package',"
                        + " which needs a C compiler");
            }
            return explain(e, file + " does not load");
        }
    }

    /** A failure to load a native library, this one or one of Netty's, with one line on top that says what to do. */
    public static Throwable explain(Throwable failure, String otherwise) {
        String line = mentions(failure, "noexec")
                ? "the folder that native libraries are unpacked to is mounted noexec: name another one with"
                        + " -Dio.netty.native.workdir=/path/to/folder"
                : otherwise + " (" + System.getProperty("os.name") + ' ' + System.getProperty("os.arch") + ')';
        return new UnsatisfiedLinkError(line).initCause(failure);
    }

    private static boolean mentions(Throwable failure, String word) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t.getMessage() != null && t.getMessage().toLowerCase(Locale.ROOT).contains(word)) {
                return true;
            }
            for (Throwable suppressed : t.getSuppressed()) {
                if (mentions(suppressed, word)) {
                    return true;
                }
            }
        }
        return false;
    }
}
