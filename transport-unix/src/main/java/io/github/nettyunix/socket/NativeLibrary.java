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
        ClassLoader loader = NativeLibrary.class.getClassLoader();
        try {
            NativeLibraryLoader.load(name, loader);
            return null;
        } catch (LinkageError | RuntimeException e) {
            return new UnsatisfiedLinkError(advice(name, loader, e)).initCause(e);
        }
    }

    private static String advice(String name, ClassLoader loader, Throwable failure) {
        String platform = System.getProperty("os.name") + ' ' + System.getProperty("os.arch");
        if (mentions(failure, "noexec")) {
            return "The folder for native libraries is mounted noexec: name another one with"
                    + " -Dio.netty.native.workdir=/path/to/folder";
        }
        String file = "META-INF/native/lib" + name + (PlatformDependent.isOsx() ? ".jnilib" : ".so");
        if (loader.getResource(file) == null) {
            return "netty-transport-unix has no native library for " + platform + " (" + file + " is not on the class path):"
                    + " build it there with 'mvn package', which needs a C compiler";
        }
        return "The native library " + file + " does not load on " + platform + ": "
                + String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
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
