/*
 * Lets system calls of some threads fail, once or repeatedly, while a rule says so. A seccomp(2) filter turns each call
 * of such a thread into SIGSYS, whose handler makes the call itself, or lets it fail. A filter lasts until its thread
 * ends, and threads inherit it; so there is one for all rules, and it needs no privilege.
 */
#include <errno.h>
#include <jni.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

/* The data of this filter, which its signals carry. */
#define FILTER 0xfa

/* What only one of the two architectures has. */
#define MISSING (-1)
#ifndef __NR_open
#define __NR_open MISSING
#endif
#ifndef __NR_unlink
#define __NR_unlink MISSING
#endif
#ifndef __NR_rename
#define __NR_rename MISSING
#endif
#ifndef __NR_renameat
#define __NR_renameat MISSING
#endif
#ifndef __NR_chmod
#define __NR_chmod MISSING
#endif
#ifndef __NR_lchown
#define __NR_lchown MISSING
#endif
#ifndef __NR_stat
#define __NR_stat MISSING
#endif
#ifndef __NR_lstat
#define __NR_lstat MISSING
#endif
#ifndef __NR_poll
#define __NR_poll MISSING
#endif
#ifndef __NR_epoll_wait
#define __NR_epoll_wait MISSING
#endif
#ifndef __NR_getrlimit
#define __NR_getrlimit MISSING
#endif
#ifndef __NR_newfstatat
#define __NR_newfstatat MISSING
#endif

/* The numbers of calls that old headers lack are the same on all architectures. */
#define CALL(name) {#name, __NR_##name}
static const struct {
    const char *name;
    int number;
} calls[] = {
    CALL(accept4),
    CALL(bind),
    CALL(chmod),
    CALL(close),
    {"close_range", 436},
    CALL(connect),
    CALL(dup3),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_pwait),
    {"epoll_pwait2", 441},
    CALL(epoll_wait),
    CALL(eventfd2),
    CALL(fchmod),
    CALL(fchmodat),
    {"fchmodat2", 452},
    CALL(fchownat),
    CALL(fcntl),
    CALL(flock),
    CALL(fstat),
    CALL(fstatfs),
    CALL(ftruncate),
    CALL(getdents64),
    CALL(getgroups),
    CALL(getpeername),
    CALL(getrlimit),
    CALL(getsockname),
    CALL(getsockopt),
    CALL(ioctl),
    CALL(lchown),
    CALL(linkat),
    CALL(listen),
    CALL(lseek),
    CALL(lstat),
    CALL(madvise),
    CALL(memfd_create),
    CALL(mincore),
    CALL(mlock2),
    CALL(mmap),
    CALL(munmap),
    CALL(newfstatat),
    CALL(open),
    CALL(openat),
    CALL(poll),
    CALL(ppoll),
    CALL(pread64),
    CALL(preadv2),
    CALL(prlimit64),
    CALL(pwrite64),
    CALL(read),
    CALL(readv),
    CALL(recvfrom),
    CALL(recvmmsg),
    CALL(recvmsg),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(sendfile),
    CALL(sendmmsg),
    CALL(sendmsg),
    CALL(sendto),
    CALL(setsockopt),
    CALL(shutdown),
    CALL(socket),
    CALL(socketpair),
    CALL(stat),
    CALL(statx),
    CALL(timerfd_create),
    CALL(timerfd_settime),
    CALL(unlink),
    CALL(unlinkat),
    CALL(waitid),
    CALL(wait4),
    CALL(write),
    CALL(writev),
};
#define COUNT(array) ((int) (sizeof(array) / sizeof((array)[0])))

#if defined(__x86_64__)
#define ARGUMENT(context, n) \
    (context)->uc_mcontext.gregs[(int[]) {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9}[n]]
#define RESULT(context) (context)->uc_mcontext.gregs[REG_RAX]
__asm__(".text\n"
        "injected_faults_call:\n"
        "  mov %rdi, %rax\n  mov %rsi, %rdi\n  mov %rdx, %rsi\n  mov %rcx, %rdx\n  mov %r8, %r10\n  mov %r9, %r8\n"
        "  mov 8(%rsp), %r9\n  syscall\n"
        "injected_faults_return:\n  ret\n");
#elif defined(__aarch64__)
#define ARGUMENT(context, n) (context)->uc_mcontext.regs[n]
#define RESULT(context) (context)->uc_mcontext.regs[0]
__asm__(".text\n"
        "injected_faults_call:\n"
        "  mov x8, x0\n  mov x0, x1\n  mov x1, x2\n  mov x2, x3\n  mov x3, x4\n  mov x4, x5\n  mov x5, x6\n  svc #0\n"
        "injected_faults_return:\n  ret\n");
#endif

/* What fails: calls with one of these numbers, whose arguments match. */
enum { NUMBERS = 4, CONDITIONS = 2 };
static struct {
    int numbers[NUMBERS];
    struct {
        int index;                      /* -1: any value matches */
        uint32_t mask, value;
    } conditions[CONDITIONS];
    int error;
    int first;                          /* how many of them succeed before */
    int every;                          /* 0: only one of them fails */
} rule;
static int armed;
static int matched, failed;             /* calls since the rule was armed */
static long made[COUNT(calls)];         /* all calls of these threads */

#ifdef ARGUMENT
extern long injected_faults_call(long number, long a, long b, long c, long d, long e, long f)
        __attribute__((visibility("hidden")));
extern char injected_faults_return[] __attribute__((visibility("hidden")));

static int matches(int number, ucontext_t *context) {
    int found = 0;
    for (int i = 0; i < NUMBERS; i++) found |= rule.numbers[i] == number;
    for (int i = 0; i < CONDITIONS && found; i++) {
        if (rule.conditions[i].index < 0) continue;
        uint32_t argument = (uint32_t) ARGUMENT(context, rule.conditions[i].index);
        if ((argument & rule.conditions[i].mask) != rule.conditions[i].value) found = 0;
    }
    return found;
}

/* Returns the errno that the call fails with, or 0. */
static int fate(int number, ucontext_t *context) {
    if (!__atomic_load_n(&armed, __ATOMIC_ACQUIRE) || !matches(number, context)) return 0;
    int which = __atomic_fetch_add(&matched, 1, __ATOMIC_RELAXED);
    which -= rule.first;
    if (which < 0 || (rule.every == 0 ? which > 0 : which % rule.every != 0)) return 0;
    __atomic_fetch_add(&failed, 1, __ATOMIC_RELAXED);
    return rule.error;
}

/* The handler before this one: that of counted_calls.c, whose filters have other data. */
static struct sigaction next;

static void on_call(int signal, siginfo_t *info, void *state) {
    if (info->si_errno != FILTER) {
        next.sa_sigaction(signal, info, state);
        return;
    }
    ucontext_t *context = state;
    int number = info->si_syscall;
    for (int i = 0; i < COUNT(calls); i++) {
        if (calls[i].number == number) __atomic_fetch_add(&made[i], 1, __ATOMIC_RELAXED);
    }
    int error = fate(number, context);
    long result = 0;
    /* close(2) releases the number whatever it returns. */
    if (error == 0 || number == __NR_close) {
        result = injected_faults_call(number, (long) ARGUMENT(context, 0), (long) ARGUMENT(context, 1),
                (long) ARGUMENT(context, 2), (long) ARGUMENT(context, 3), (long) ARGUMENT(context, 4),
                (long) ARGUMENT(context, 5));
    }
    RESULT(context) = error != 0 ? -error : result;
}
#endif

/*
 * Calls of this thread, and of those that it starts, fail from now on while a rule says so. What the C library calls
 * with all signals blocked, as a thread begins and ends, is not among them; that includes madvise(MADV_DONTNEED).
 * Returns a negative errno where there are no filters.
 */
JNIEXPORT jint JNICALL Java_io_github_nettyunix_faults_Injector_install(JNIEnv *env, jclass class) {
    (void) env, (void) class;
#ifdef ARGUMENT
    struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO}, before;
    struct sock_filter filter[12 + 2 * COUNT(calls)];
    uintptr_t own = (uintptr_t) injected_faults_return;
    int length = 0;
    /* The handler's own calls. */
    filter[length++] =
            (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer));
    filter[length++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) own, 0, 3);
    filter[length++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
            offsetof(struct seccomp_data, instruction_pointer) + 4);
    filter[length++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) (own >> 32), 0, 1);
    filter[length++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[length++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    filter[length++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_madvise, 0, 4);
    filter[length++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
            (unsigned) offsetof(struct seccomp_data, args) + 2 * 8);
    filter[length++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MADV_DONTNEED, 0, 1);
    filter[length++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[length++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < COUNT(calls); i++) {
        if (calls[i].number == MISSING) continue;
        filter[length++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) calls[i].number, 0, 1);
        filter[length++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | FILTER);
    }
    filter[length++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {(unsigned short) length, filter};
    if (sigaction(SIGSYS, &action, &before) == -1) return -errno;
    if (before.sa_sigaction != on_call) next = before;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
        return -errno;
    return 0;
#else
    return -ENOSYS;
#endif
}

/*
 * Lets calls fail from now on, until the rule is cleared: {error, first, every, then per condition index, mask and
 * value, then numbers}.
 */
JNIEXPORT void JNICALL Java_io_github_nettyunix_faults_Injector_arm(JNIEnv *env, jclass class, jintArray values) {
    (void) class;
    jint given[3 + 3 * CONDITIONS + NUMBERS];
    (*env)->GetIntArrayRegion(env, values, 0, COUNT(given), given);
    rule.error = given[0];
    rule.first = given[1];
    rule.every = given[2];
    for (int i = 0; i < CONDITIONS; i++) {
        rule.conditions[i].index = given[3 + 3 * i];
        rule.conditions[i].mask = (uint32_t) given[4 + 3 * i];
        rule.conditions[i].value = (uint32_t) given[5 + 3 * i];
    }
    memcpy(rule.numbers, given + 3 + 3 * CONDITIONS, sizeof(rule.numbers));
    matched = failed = 0;
    __atomic_store_n(&armed, 1, __ATOMIC_RELEASE);
}

JNIEXPORT void JNICALL Java_io_github_nettyunix_faults_Injector_clear(JNIEnv *env, jclass class) {
    (void) env, (void) class;
    __atomic_store_n(&armed, 0, __ATOMIC_RELEASE);
}

/* How many calls have failed since the rule was armed. */
JNIEXPORT jint JNICALL Java_io_github_nettyunix_faults_Injector_failed(JNIEnv *env, jclass class) {
    (void) env, (void) class;
    return __atomic_load_n(&failed, __ATOMIC_RELAXED);
}

/* How many calls these threads have made in all. */
JNIEXPORT jlong JNICALL Java_io_github_nettyunix_faults_Injector_made(JNIEnv *env, jclass class, jint index) {
    (void) env, (void) class;
    return index >= 0 && index < COUNT(calls) ? __atomic_load_n(&made[index], __ATOMIC_RELAXED) : -1;
}

/* The name of a call that can fail; NULL after the last one. */
JNIEXPORT jstring JNICALL Java_io_github_nettyunix_faults_Injector_name(JNIEnv *env, jclass class, jint index) {
    (void) class;
    return index >= 0 && index < COUNT(calls) ? (*env)->NewStringUTF(env, calls[index].name) : NULL;
}

/* Its number; -1 if this architecture has no such call. */
JNIEXPORT jint JNICALL Java_io_github_nettyunix_faults_Injector_number(JNIEnv *env, jclass class, jint index) {
    (void) env, (void) class;
    return index >= 0 && index < COUNT(calls) ? calls[index].number : MISSING;
}
