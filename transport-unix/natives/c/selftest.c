/*
 * Loads a native library with the libc that runs this program, and calls some of its functions, without a JVM: those
 * that depend on the libc. Then it prints what the kernel and the libc lack, and what the library does without. What
 * the library needs of a JVM is at the start of this file.
 *
 * To compile it by hand: cc -o selftest -I$JAVA_HOME/include -I$JAVA_HOME/include/linux selftest.c -ldl
 * Usage: selftest LIBRARY
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <jni.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* The native methods that the library has registered. */
static struct {
    const char *class;
    JNINativeMethod method;
} natives[256];
static int native_count;

/* A Java array. A string is only its characters, and a class its name. */
typedef struct {
    jsize length;
    void *elements;
} array;

static jclass find_class(JNIEnv *env, const char *name) {
    (void) env;
    return (jclass) strdup(name);
}

static jfieldID get_field(JNIEnv *env, jclass class, const char *name, const char *type) {
    (void) env, (void) class, (void) type;
    return (jfieldID) strdup(name);
}

static jint register_natives(JNIEnv *env, jclass class, const JNINativeMethod *methods, jint count) {
    (void) env;
    for (jint i = 0; i < count; i++) {
        natives[native_count].class = strrchr((const char *) class, '/') + 1;
        natives[native_count++].method = methods[i];
    }
    return JNI_OK;
}

static void ignore(JNIEnv *env, jobject object) {
    (void) env, (void) object;
}

static jsize length_of(JNIEnv *env, jarray object) {
    (void) env;
    return ((array *) object)->length;
}

static void set_ints(JNIEnv *env, jintArray object, jsize start, jsize count, const jint *values) {
    (void) env;
    memcpy((jint *) ((array *) object)->elements + start, values, (size_t) count * sizeof(jint));
}

static void set_longs(JNIEnv *env, jlongArray object, jsize start, jsize count, const jlong *values) {
    (void) env;
    memcpy((jlong *) ((array *) object)->elements + start, values, (size_t) count * sizeof(jlong));
}

static const char *characters(JNIEnv *env, jstring string, jboolean *copied) {
    (void) env, (void) copied;
    return (const char *) string;
}

static void release_characters(JNIEnv *env, jstring string, const char *released) {
    (void) env, (void) string, (void) released;
}

static jstring new_string(JNIEnv *env, const char *text) {
    (void) env;
    return (jstring) strdup(text);
}

static const struct JNINativeInterface_ functions = {
    .FindClass = find_class,
    .GetFieldID = get_field,
    .RegisterNatives = register_natives,
    .DeleteLocalRef = ignore,
    .GetArrayLength = length_of,
    .SetIntArrayRegion = set_ints,
    .SetLongArrayRegion = set_longs,
    .GetStringUTFChars = characters,
    .ReleaseStringUTFChars = release_characters,
    .NewStringUTF = new_string,
};
static JNIEnv env = &functions;

static jint get_env(JavaVM *vm, void **result, jint version) {
    (void) vm, (void) version;
    *result = &env;
    return JNI_OK;
}

static const struct JNIInvokeInterface_ invocation = {.GetEnv = get_env};
static JavaVM vm = &invocation;

static void *native(const char *class, const char *name) {
    for (int i = 0; i < native_count; i++) {
        if (strcmp(natives[i].class, class) == 0 && strcmp(natives[i].method.name, name) == 0) {
            return natives[i].method.fnPtr;
        }
    }
    fprintf(stderr, "no %s.%s\n", class, name);
    exit(1);
}

/* Calls a native method with a result of this type. The types of the arguments must be its own. */
#define CALL(type, class, name, types, ...) (((type(*) types) native(class, name))(&env, NULL, ##__VA_ARGS__))

static int failures;

static void check(int condition, const char *what) {
    printf("%-6s %s\n", condition ? "ok" : "FAILED", what);
    if (!condition) failures++;
}

/* A child has the descriptors that it was given and no other. */
static void check_spawn(void) {
    struct {
        int32_t source, number;
        char *tables[5];
        char strings[96];
    } memory = {.source = 100, .number = 7};
    static const char strings[] = "sh\0-c\0test -e /proc/self/fd/7 && ! test -e /proc/self/fd/50 || exit 3";
    memcpy(memory.strings, strings, sizeof(strings));
    int file = open("/dev/null", O_RDONLY);
    dup2(file, 50);
    dup2(file, memory.source);
    jlong size = (jlong) offsetof(__typeof__(memory), strings) + (jlong) sizeof(strings);
    jint pid = CALL(jint, "ChildProcesses", "spawn", (JNIEnv *, jclass, jlong, jlong, jint, jint, jint),
            (jlong) (intptr_t) &memory, size, 1, 3, -1);
    check(pid > 0, "a program is started");
    check(CALL(jint, "ChildProcesses", "awaitEnd", (JNIEnv *, jclass, jint), pid) == 0, "its end is awaited");
    check(CALL(jint, "ChildProcesses", "reap", (JNIEnv *, jclass, jint), pid) == 0, "it has no other descriptors");
}

static void check_sockets(void) {
    for (jint type = 0; type < 3; type++) {
        jint fds[2] = {-1, -1}, owner[3] = {0};
        array pair = {2, fds}, credentials = {3, owner};
        char sent[] = "message", received[16] = "";
        check(CALL(jint, "UnixSocket", "newSocketPair", (JNIEnv *, jclass, jint, jintArray), type, (jintArray) &pair)
                        == 0,
                "a socket pair is created");
        CALL(jint, "UnixSocket", "sendBytes", (JNIEnv *, jclass, jint, jlong, jint), fds[0], (jlong) (intptr_t) sent,
                (jint) sizeof(sent));
        jint length = CALL(jint, "UnixSocket", "receive", (JNIEnv *, jclass, jint, jlong, jint), fds[1],
                (jlong) (intptr_t) received, (jint) sizeof(received));
        check(length == sizeof(sent) && strcmp(sent, received) == 0, "a message is sent and received");
        CALL(jint, "UnixSocket", "peerCredentials", (JNIEnv *, jclass, jint, jintArray), fds[1],
                (jintArray) &credentials);
        check(owner[0] == getpid() || owner[1] == getpid() || owner[2] == getpid(), "the peer's pid is reported");
    }
}

static void check_files(void) {
    enum { REGULAR, DIRECTORY, MEMORY = 4 };
    jlong bytes = -1;
    array size = {1, &bytes};
    jint memory =
            CALL(jint, "MemoryFile", "open", (JNIEnv *, jclass, jstring, jboolean), (jstring) "memory", JNI_FALSE);
    check(CALL(jint, "FileDescriptors", "setSize", (JNIEnv *, jclass, jint, jlong), memory, 5) == 0,
            "a memory file is created");
    check(CALL(jint, "FileDescriptors", "status", (JNIEnv *, jclass, jint, jlongArray), memory, (jlongArray) &size)
                            == MEMORY
                    && bytes == 5,
            "its type and size are reported");
    jint folder = open("/", O_RDONLY);
    check(CALL(jint, "FileDescriptors", "status", (JNIEnv *, jclass, jint, jlongArray), folder, (jlongArray) &size)
                    == DIRECTORY,
            "the type of a folder is reported");
    jstring text = CALL(jstring, "Platform", "errorMessage", (JNIEnv *, jclass, jint), EACCES);
    check(strcmp((const char *) text, "Permission denied") == 0, "errors have messages");
}

static void feature(int present, const char *name, const char *otherwise) {
    printf("%-6s %s", present ? "has" : "lacks", name);
    if (!present) printf(": %s", otherwise);
    printf("\n");
}

/* The arguments are such that the call fails if there is one. */
static int has_call(long number, long first, long second) {
    return syscall(number, first, second, 0L, 0L, 0L) != -1 || errno != ENOSYS;
}

static int has_option(int fd, int option) {
    char value[256];
    socklen_t length = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, value, &length) != -1 || errno == ERANGE;
}

static int can_set(int fd, int option) {
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)) == 0;
}

/* Whether a record that wants control data, but is received without room for it, is marked as cut off. */
static int has_mark(const int *pair) {
    enum { SO_PASSSEC_NUMBER = 34 };
    int on = 1;
    char byte = 0;
    struct iovec vector = {&byte, 1};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
    return setsockopt(pair[1], SOL_SOCKET, SO_PASSSEC_NUMBER, &on, sizeof(on)) == 0 && send(pair[0], &byte, 1, 0) == 1
            && recvmsg(pair[1], &header, 0) == 1 && (header.msg_flags & MSG_CTRUNC) != 0;
}

/* Whether a read that finds no memory behind a message returns what it has. */
static int has_partial_peek(const int *pair) {
    char bytes[2] = "";
    struct iovec vectors[] = {{bytes, 1}, {NULL, 1}};
    struct msghdr header = {.msg_iov = vectors, .msg_iovlen = 2};
    return send(pair[0], bytes, 1, 0) == 1 && send(pair[0], bytes, 1, 0) == 1
            && recvmsg(pair[1], &header, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* Whether descriptors for which a receiver has no room are closed. Credentials are what it has room for. */
static int has_discard(void) {
    int pair[2], on = 1, next = dup(0);
    close(next);
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == -1
            || setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == -1) {
        return 0;
    }
    char byte = 0;
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct ucred))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), &pair[0], sizeof(int));
    struct iovec vector = {&byte, 1};
    struct msghdr header = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(sizeof(int))};
    int sent = (int) sendmsg(pair[0], &header, 0);
    header.msg_controllen = sizeof(control);
    int received = (int) recvmsg(pair[1], &header, 0);
    close(pair[0]);
    close(pair[1]);
    int free = dup(0);
    close(free);
    /* The pair had the first two numbers, so one that was left has the third. */
    int left = fcntl(next + 2, F_GETFD) != -1;
    if (left) close(next + 2);
    return sent == 1 && received == 1 && free == next && !left;
}

static int has_file_ioctl(void) {
    enum { SIOCUNIXFILE_NUMBER = 0x89E0 };
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/selftest.%d", (int) getpid());
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int bound = bind(fd, (struct sockaddr *) &address, sizeof(address));
    int file = bound == 0 ? ioctl(fd, SIOCUNIXFILE_NUMBER) : -1;
    int result = file >= 0 || errno == EPERM;
    if (bound == 0) unlink(address.sun_path);
    if (file >= 0) close(file);
    close(fd);
    return result;
}

/* This program fails if it has no arguments. */
static int has_programs(const char *program) {
    int status = 0, pid = fork();
    if (pid == 0) {
        close(2);
        execl(program, program, (char *) NULL);
        _exit(0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) != 0;
}

/* Whether signals have the numbers that the kernel shows in /proc. */
static int has_signal_numbers(void) {
    char line[128];
    unsigned long long ignored = 0;
    int number = SIGRTMIN;
    void (*before)(int) = signal(number, SIG_IGN);
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL) return 0;
    while (fgets(line, sizeof(line), status) != NULL && sscanf(line, "SigIgn: %llx", &ignored) != 1);
    fclose(status);
    signal(number, before);
    return ignored >> (number - 1) & 1;
}

static int has_spawn_errors(void) {
    pid_t pid;
    char *const arguments[] = {"program", NULL};
    if (posix_spawn(&pid, "/no/such/program", NULL, NULL, arguments, environ) == ENOENT) return 1;
    waitpid(pid, NULL, 0);
    return 0;
}

static void report_features(const char *program) {
    enum { CLOSE_RANGE = 436, FCHMODAT2 = 452 }; /* have these numbers on all architectures */
    enum { PEERGROUPS = 59, PASSPIDFD = 76, PEERPIDFD = 77, PASSRIGHTS = 83 };
    int records[2], stream[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, records) == -1 || socketpair(AF_UNIX, SOCK_STREAM, 0, stream) == -1) {
        perror("socketpair");
        failures++;
        return;
    }
    feature(has_mark(records), "MSG_CTRUNC of SO_PASSSEC",
            "records have timestamps instead, to tell empty ones from the end, and positions of descriptors in a "
            "stream "
            "are not exact");
    feature(has_partial_peek(stream), "reads that end at an address without memory",
            "positions of descriptors in a stream are not exact");
    feature(has_discard(), "closing of descriptors without room", "descriptors that nobody requested stay open");
    feature(has_programs(program), "programs for this processor", "child processes cannot run them");
    feature(has_spawn_errors(), "errors of posix_spawn", "a program that cannot be started ends with status 127");
    feature(has_signal_numbers(), "numbers of signals", "the signals that child processes ignore have other numbers");
    feature(has_option(stream[0], PEERGROUPS), "SO_PEERGROUPS (Linux 4.13)", "credentials have no groups");
    feature(has_option(stream[0], PEERPIDFD), "SO_PEERPIDFD (Linux 6.5)", "peerPidFd() is not supported");
    feature(can_set(stream[0], PASSPIDFD), "SO_PASSPIDFD (Linux 6.5)", "messages have no pidfd");
    feature(can_set(stream[0], PASSRIGHTS), "SO_PASSRIGHTS (Linux 6.16)", "senders of descriptors are not refused");
    feature(has_call(SYS_memfd_create, 0, -1), "memfd_create (Linux 3.17)", "there are no files in memory");
    feature(has_call(SYS_statx, -1, 0), "statx (Linux 4.11)", "types of descriptors are found with fstat");
    feature(has_call(CLOSE_RANGE, 1, 0), "close_range (Linux 5.9)", "descriptors are closed one by one");
    feature(has_call(FCHMODAT2, -1, 0), "fchmodat2 (Linux 6.6)", "modes are set through /proc/self/fd");
    feature(has_file_ioctl(), "SIOCUNIXFILE (Linux 4.8)", "a mode or group needs sock_diag, or a folder of one's own");
    feature(dlsym(RTLD_DEFAULT, "posix_spawn_file_actions_addclosefrom_np") != NULL, "closefrom (glibc 2.34)",
            "children close the descriptors that are open in /proc/self/fd, and 1024 more");
}

static void report_system(void) {
    struct utsname system;
    uname(&system);
    const char *(*version)(void) = (const char *(*) (void) ) dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
    printf("%s %s %s, %s%s\n", system.sysname, system.release, system.machine, version != NULL ? "glibc " : "not glibc",
            version != NULL ? version() : "");
}

int main(int count, char **arguments) {
    report_system();
    void *library = count == 2 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    if (library == NULL) {
        fprintf(stderr, "%s\n", count == 2 ? dlerror() : "Usage: selftest LIBRARY");
        return 2;
    }
    jint (*load)(JavaVM *, void *) = (jint(*)(JavaVM *, void *)) dlsym(library, "JNI_OnLoad");
    check(load != NULL && load(&vm, NULL) == JNI_VERSION_1_8, "the library loads");
    if (failures == 0) {
        check_sockets();
        check_files();
        check_spawn();
        report_features(arguments[0]);
    }
    return failures == 0 ? 0 : 1;
}
