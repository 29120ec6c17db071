/* ChildProcesses.java: starting programs and waiting for them. See posix_spawn(3), waitid(2), kill(2). */
#include "nettyunix.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __APPLE__
#include <crt_externs.h>
#define environ (*_NSGetEnviron())
#else
extern char **environ;
#define POSIX_SPAWN_CLOEXEC_DEFAULT 0
#endif

/*
 * Whether posix_spawn can close all descriptors from a number on. On Linux only the libc that is loaded can tell: glibc
 * can since 2.34, musl cannot.
 */
#ifndef HAS_CLOSEFROM
#if defined(__linux__)
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int) __attribute__((weak));
#define HAS_CLOSEFROM 1
#define can_close_from() (posix_spawn_file_actions_addclosefrom_np != NULL)
#elif defined(__FreeBSD__)
#define HAS_CLOSEFROM (__FreeBSD__ >= 14)
#define can_close_from() 1
#else
#define HAS_CLOSEFROM 0
#endif
#endif

/* Filled in by ChildProcesses.java. */
typedef struct {
    int32_t source;                     /* in this process, above every number in the child */
    int32_t number;                     /* in the child */
} descriptor;

/*
 * Fills a table with pointers to consecutive strings, followed by NULL. Returns the end of the strings; NULL if that is
 * beyond the given end.
 */
static char *tabulate(char **table, jint count, char *strings, const char *end) {
    for (jint i = 0; i < count && strings != NULL; i++) {
        table[i] = strings;
        strings = memchr(strings, 0, (size_t) (end - strings));
        if (strings != NULL) strings++;
    }
    table[count] = NULL;
    return strings;
}

/* Whether the numbers ascend, and no source is overwritten before it has been duplicated. */
static int are_valid(const descriptor *descriptors, jint count) {
    for (jint i = 0; i < count; i++) {
        if (descriptors[i].number < 0 || descriptors[i].source <= descriptors[count - 1].number) return 0;
        if (i > 0 && descriptors[i].number <= descriptors[i - 1].number) return 0;
    }
    return 1;
}

/*
 * Adds the actions for the numbers from first to end - 1, which nobody has named: 0 to 2 are inherited, others closed.
 * Returns an errno.
 */
static int add_unnamed(posix_spawn_file_actions_t *actions, int first, int end) {
    int error = 0;
    for (int fd = first; fd < end && error == 0; fd++) {
#if defined(__APPLE__)
        if (fd < 3 && fcntl(fd, F_GETFD) != -1) error = posix_spawn_file_actions_addinherit_np(actions, fd);
#elif defined(__linux__)
        if (fd >= 3) error = posix_spawn_file_actions_addclose(actions, fd);
#else
        /* On some systems it is an error to close a number that is not open. */
        if (fd >= 3 && fcntl(fd, F_GETFD) != -1) error = posix_spawn_file_actions_addclose(actions, fd);
#endif
    }
    return error;
}

#ifndef __APPLE__
/*
 * Returns a number above those of all open descriptors. Other threads may open descriptors before the child is started.
 * They get the lowest free numbers, and most of them are close-on-exec. A distance to the highest one covers the rest.
 */
static int end_of_descriptors(void) {
    int limit = (int) sysconf(_SC_OPEN_MAX);
#ifdef __linux__
    enum { DISTANCE = 1024 };
    /* The limit may be a billion, too many actions for posix_spawn. */
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) return limit;
    int end = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        int fd = atoi(entry->d_name);
        if (fd >= end) end = fd + 1;
    }
    closedir(folder);
    if (end < limit - DISTANCE) limit = end + DISTANCE;
#endif
    return limit;
}
#endif

static int add_unnamed_from(posix_spawn_file_actions_t *actions, int first) {
    if (first < 3) {
        int error = add_unnamed(actions, first, 3);
        return error != 0 ? error : add_unnamed_from(actions, 3);
    }
#if defined(__APPLE__)
    return 0;                           /* POSIX_SPAWN_CLOEXEC_DEFAULT closes them */
#else
#if HAS_CLOSEFROM
    if (can_close_from()) return posix_spawn_file_actions_addclosefrom_np(actions, first);
#endif
    return add_unnamed(actions, first, end_of_descriptors());
#endif
}

/* The descriptors ascend by number. Returns an errno. */
static int add_descriptors(posix_spawn_file_actions_t *actions, const descriptor *descriptors, jint count) {
    int next = 0;
    int error = 0;
    for (jint i = 0; i < count && error == 0; i++) {
        error = add_unnamed(actions, next, descriptors[i].number);
        if (error == 0) error = posix_spawn_file_actions_adddup2(actions, descriptors[i].source, descriptors[i].number);
        next = descriptors[i].number + 1;
    }
    return error != 0 ? error : add_unnamed_from(actions, next);
}

/* Sets the signals as a program expects them: none blocked, none ignored. Returns an errno. */
static int set_signals(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error != 0) return error;
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_CLOEXEC_DEFAULT;
    return posix_spawnattr_setflags(attributes, (short) flags);
}

/*
 * Returns the pid. The memory contains the descriptors; then, with 8 bytes per entry, the tables of the arguments and
 * of the variables, both with room for a NULL; and then the strings: the arguments, starting with the program, and the
 * variables. -1 variables stand for this process's environment.
 */
static jint spawn(JNIEnv *env, jclass class, jlong memory, jlong size, jint descriptor_count, jint arguments,
        jint variables) {
    (void) env, (void) class;
    REQUIRE(is_range(memory, size) && descriptor_count >= 0 && arguments >= 1 && variables >= -1);
    jlong tables = descriptor_count * (jlong) sizeof(descriptor);
    jlong strings = tables + ((jlong) arguments + 1 + (variables < 0 ? 0 : variables) + 1) * (jlong) sizeof(jlong);
    REQUIRE(strings < size);
    const descriptor *descriptors = POINTER(memory);
    REQUIRE(are_valid(descriptors, descriptor_count));
    char **program = POINTER(memory + tables);
    char **environment = program + arguments + 1;
    const char *end = POINTER(memory + size);
    char *rest = tabulate(program, arguments, POINTER(memory + strings), end);
    if (rest != NULL) rest = tabulate(environment, variables < 0 ? 0 : variables, rest, end);
    REQUIRE(rest == end);

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid = 0;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return -error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = set_signals(&attributes);
        if (error == 0) error = add_descriptors(&actions, descriptors, descriptor_count);
        if (error == 0) {
            error = posix_spawnp(&pid, program[0], &actions, &attributes, program,
                    variables < 0 ? environ : environment);
        }
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error != 0 ? -error : pid;
}

/* Waits until a child has ended. It remains a zombie, so that no other process can get its pid. */
static jint await_end(JNIEnv *env, jclass class, jint pid) {
    (void) env, (void) class;
    REQUIRE(pid > 0);
    siginfo_t info;
    int result = RESULT(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT));
#ifdef __APPLE__
    /* waitid also returns for a child that is only stopped. */
    while (result == 0 && info.si_code == CLD_STOPPED) {
        usleep(10000);
        result = RESULT(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT));
    }
#endif
    return result;
}

/* Reaps a child that has ended. Returns its exit status, or 128 plus the number of the signal that killed it. */
static jint reap(JNIEnv *env, jclass class, jint pid) {
    (void) env, (void) class;
    /* Other values stand for groups of children. */
    REQUIRE(pid > 0);
    int status = 0;
    int result = RESULT(waitpid(pid, &status, 0));
    if (result < 0) return result;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static jint send_signal(JNIEnv *env, jclass class, jint pid, jint number) {
    (void) env, (void) class;
    /* Other values stand for groups of processes, or for all of them. */
    REQUIRE(pid > 0 && number >= 0 && number < NSIG);
    return RESULT(kill(pid, number));
}

static const JNINativeMethod methods[] = {
    NATIVE("spawn", "(JJIII)I", spawn),
    NATIVE("awaitEnd", "(I)I", await_end),
    NATIVE("reap", "(I)I", reap),
    NATIVE("signal", "(II)I", send_signal),
};

const native_class nettyunix_child_processes = {
    .name = "ChildProcesses",
    .methods = methods,
    .method_count = COUNT(methods),
};
