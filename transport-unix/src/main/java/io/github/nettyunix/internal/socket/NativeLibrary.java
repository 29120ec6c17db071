package io.github.nettyunix.internal.socket;

import io.netty.util.internal.PlatformDependent;
import io.netty.util.internal.SystemPropertyUtil;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.nio.channels.Channels;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Locale;
import java.util.Set;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;

/**
 * Loads the C library from {@code java.library.path} or, if it is not there, from the class path by way of a temporary
 * file, as Netty loads its own. The system properties {@code io.netty.native.workdir} and
 * {@code io.netty.native.deleteLibAfterLoading} apply. Unlike Netty's, the temporary file has mode 0700 under any
 * umask. If loading fails, the error states in one line what to do. Thread-safe.
 */
public final class NativeLibrary {
    /** The file is executable as well, because that shows whether its file system is mounted noexec. */
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");
    private static final Throwable UNAVAILABILITY_CAUSE = load();

    private NativeLibrary() {
    }

    /** Returns why the library is not available; {@code null} if it is. */
    public static Throwable unavailabilityCause() {
        return UNAVAILABILITY_CAUSE;
    }

    private static Throwable load() {
        String resource = "META-INF/native/";
        try {
            String name = shadingPrefix() + "nettyunix_" + PlatformDependent.normalizedArch();
            String suffix = PlatformDependent.isOsx() ? ".jnilib" : ".so";
            resource += "lib" + name + suffix;
            load(name, resource, suffix);
            return null;
        } catch (FileNotFoundException e) {
            return explain(e, NativeLibrary.class.getModule().isNamed()
                    ? resource + " is in no module: add the jar for this platform to the module path, and start with"
                            + " --add-modules io.github.nettyunix." + PlatformDependent.normalizedOs() + '.'
                            + PlatformDependent.normalizedArch()
                    : resource + " is not on the class path: add the jar with the classifier "
                            + PlatformDependent.normalizedOs() + '-' + PlatformDependent.normalizedArch() + ", or build"
                            + " it on this platform with 'mvn package', which needs a C compiler");
        } catch (LinkageError | RuntimeException | IOException e) {
            return explain(e, resource + " does not load");
        }
    }

    private static void load(String name, String resource, String suffix) throws IOException {
        try {
            System.loadLibrary(name);
        } catch (UnsatisfiedLinkError notInstalled) {
            try {
                URL url = NativeLibrary.class.getClassLoader().getResource(resource);
                if (url == null) {
                    throw new FileNotFoundException(resource);
                }
                loadCopy(url, "lib" + name, suffix);
            } catch (LinkageError | RuntimeException | IOException e) {
                e.addSuppressed(notInstalled);
                throw e;
            }
        }
    }

    /**
     * Returns the prefix that shading has added to the name of this class, in the form that it has in the name of the
     * library.
     */
    private static String shadingPrefix() {
        // Written so that shading leaves it alone.
        String unshaded = "io!github!nettyunix!internal!socket!NativeLibrary".replace('!', '.');
        String name = NativeLibrary.class.getName();
        if (!name.endsWith(unshaded)) {
            throw new IllegalStateException(name + " is not " + unshaded
                    + " behind a prefix; shading may only add a prefix");
        }
        return name.substring(0, name.length() - unshaded.length()).replace("_", "_1").replace('.', '_');
    }

    private static void loadCopy(URL library, String prefix, String suffix) throws IOException {
        Path copy = newFile(prefix, suffix, library);
        try {
            System.load(copy.toString());
        } catch (UnsatisfiedLinkError e) {
            if (!Files.isExecutable(copy)) {
                e.addSuppressed(new UnsatisfiedLinkError(copy
                        + " cannot be executed: its file system is mounted noexec"));
            }
            throw e;
        } finally {
            if (SystemPropertyUtil.getBoolean("io.netty.native.deleteLibAfterLoading", true)) {
                Files.deleteIfExists(copy);
            } else {
                copy.toFile().deleteOnExit();
            }
        }
    }

    /** The folder that native libraries are unpacked to, Netty's as well. */
    private static Path folder() {
        String workdir = SystemPropertyUtil.get("io.netty.native.workdir");
        return (workdir == null ? PlatformDependent.tmpdir().toPath() : Path.of(workdir)).toAbsolutePath();
    }

    /** Unpacks the library into a new file that only its owner may open, whatever the umask. */
    private static Path newFile(String prefix, String suffix, URL library) throws IOException {
        Path folder = folder();
        if (!Files.isDirectory(folder)) {
            Files.createDirectories(folder);
        }
        SecureRandom random = new SecureRandom();
        while (true) {
            Path file = folder.resolve(prefix + Long.toUnsignedString(random.nextLong(), 36) + suffix);
            // The file is new, so nobody else can have it open. The umask can remove permissions, but not add any.
            try (OutputStream out = Channels.newOutputStream(Files.newByteChannel(file, Set.of(CREATE_NEW, WRITE),
                    PosixFilePermissions.asFileAttribute(OWNER_ONLY)));
                    InputStream in = library.openStream()) {
                in.transferTo(out);
                Files.setPosixFilePermissions(file, OWNER_ONLY);
                return file;
            } catch (FileAlreadyExistsException ignored) {
                // Another name will do.
            } catch (IOException | RuntimeException e) {
                Files.deleteIfExists(file);
                throw e;
            }
        }
    }

    /**
     * Explains a failure to load a native library, this one or one of Netty's.
     *
     * @param failure what was thrown
     * @param otherwise what to say if the failure itself does not tell what to do
     * @return an error whose message is one line that says what to do, with the failure as its cause
     */
    public static Throwable explain(Throwable failure, String otherwise) {
        String problem = mentions(failure, "noexec") ? "is mounted noexec"
                : Files.isWritable(folder()) ? null : "cannot be written to";
        String line = problem == null
                ? otherwise + " (" + System.getProperty("os.name") + ' ' + System.getProperty("os.arch") + ')'
                : folder() + ", where native libraries are unpacked, " + problem
                        + ": name another folder with -Dio.netty.native.workdir=/path/to/folder";
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
