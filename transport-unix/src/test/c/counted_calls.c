/*
 * Counts system calls of the thread that asks for it, and can let one of them fail. A seccomp(2) filter turns each call
 * into SIGSYS, whose handler makes it instead. As for failing_calls.c, that lasts until the thread ends.
 */
#include <errno.h>
#include <jni.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/*
 * The handler's own calls have this in the upper half of their first argument, a descriptor, where the kernel does not
 * look and the filter does.
 */
#define MARK 0x5ec0u

#if defined(__x86_64__)
#define ARGUMENT(context, n) \
    (context)->uc_mcontext.gregs[(int[]) {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9}[n]]
#define RESULT(context) (context)->uc_mcontext.gregs[REG_RAX]
#elif defined(__aarch64__)
#define ARGUMENT(context, n) (context)->uc_mcontext.regs[n]
#define RESULT(context) (context)->uc_mcontext.regs[0]
#endif

static _Thread_local int counted, failing, failure;

#ifdef ARGUMENT
/* The handler before this one: that of injected_faults.c, whose filters are told by their data. */
static struct sigaction next;

static void make_call(int signal, siginfo_t *info, void *state) {
    if (info->si_errno != 0) {
        next.sa_sigaction(signal, info, state);
        return;
    }
    ucontext_t *context = state;
    long result = -failure;
    if (++counted != failing) {
        int before = errno;
        result = syscall(info->si_syscall, (long) ARGUMENT(context, 0) | (long) MARK << 32, ARGUMENT(context, 1),
                ARGUMENT(context, 2), ARGUMENT(context, 3), ARGUMENT(context, 4), ARGUMENT(context, 5));
        if (result == -1) result = -errno;
        errno = before;
    }
    RESULT(context) = result;
}
#endif

/* Counts these calls of this thread from now on. Returns a negative errno where that is not possible. */
JNIEXPORT jint JNICALL Java_io_github_nettyunix_testing_CountedCalls_start(JNIEnv *env, jclass class, jint number) {
    (void) env, (void) class;
#ifdef ARGUMENT
    struct sigaction action = {.sa_sigaction = make_call, .sa_flags = SA_SIGINFO}, before;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MARK, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
    if (sigaction(SIGSYS, &action, &before) == -1) return -errno;
    if (before.sa_sigaction != make_call) next = before;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
        return -errno;
    return 0;
#else
    (void) number;
    return -ENOSYS;
#endif
}

/* How many calls this thread has made. */
JNIEXPORT jint JNICALL Java_io_github_nettyunix_testing_CountedCalls_count(JNIEnv *env, jclass class) {
    (void) env, (void) class;
    return counted;
}

/* Lets one of the next calls of this thread fail: 1 is the first one. */
JNIEXPORT void JNICALL Java_io_github_nettyunix_testing_CountedCalls_fail(JNIEnv *env, jclass class, jint which,
        jint error) {
    (void) env, (void) class;
    failing = counted + which;
    failure = error;
}
