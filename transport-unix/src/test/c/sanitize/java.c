/*
 * The program java of a JDK, for ./verify --sanitize, which compiles it with the sanitizers. So their runtime is the
 * first library of a JVM, as it must be, and the programs that a JVM starts do not inherit it.
 */
#include <stdlib.h>

/* libjli, see java.base/share/native/libjli/java.h of the JDK. */
extern int JLI_Launch(int count, char **arguments, int java_argument_count, const char **java_arguments,
        int class_path_count, const char **class_path, const char *full_version, const char *dot_version,
        const char *program, const char *launcher, unsigned char has_java_arguments, unsigned char wildcards,
        unsigned char windows, int ergonomics);

int main(int count, char **arguments) {
    const char **all = calloc((size_t) count + 2, sizeof(*all));
    if (all == NULL) return 1;
    all[0] = arguments[0];
    /* Each buffer is then an allocation of its own, whose end the sanitizer knows. */
    all[1] = "-Dio.netty.allocator.type=unpooled";
    for (int i = 1; i < count; i++) all[i + 1] = arguments[i];
    return JLI_Launch(count + 1, (char **) all, 0, NULL, 0, NULL, "", "0.0", "java", "java", 0, 1, 0, 0);
}
