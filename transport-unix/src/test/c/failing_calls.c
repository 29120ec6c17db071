/*
 * Makes system calls of the calling thread fail with a seccomp(2) filter, for tests of failures that no peer can cause.
 * A filter lasts until its thread ends, so that thread must be one of a group that the test shuts down.
 */
#include <errno.h>
#include <jni.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const struct {
    const char *name;
    int number;
} calls[] = {
    {"accept4", __NR_accept4},
    {"close_range", 436},               /* has this number on all architectures */
    {"epoll_ctl", __NR_epoll_ctl},
    {"getsockname", __NR_getsockname},
    {"listen", __NR_listen},
    {"memfd_create", __NR_memfd_create},
    {"mmap", __NR_mmap},
    {"preadv2", __NR_preadv2},
    {"recvmsg", __NR_recvmsg},
    {"sendmmsg", __NR_sendmmsg},
    {"sendmsg", __NR_sendmsg},
    {"sendto", __NR_sendto},
    {"setsockopt", __NR_setsockopt},
    {"socket", __NR_socket},
    {"socketpair", __NR_socketpair},
    {"statx", __NR_statx},
};

/* The number of a system call; -1 if it is not in the table. */
JNIEXPORT jint JNICALL Java_io_github_nettyunix_testing_FailingCalls_number(JNIEnv *env, jclass class, jstring name) {
    (void) class;
    const char *chars = (*env)->GetStringUTFChars(env, name, NULL);
    jint number = -1;
    for (size_t i = 0; chars != NULL && i < sizeof(calls) / sizeof(calls[0]); i++) {
        const char *a = calls[i].name, *b = chars;
        while (*a != 0 && *a == *b) a++, b++;
        if (*a == *b) number = calls[i].number;
    }
    if (chars != NULL) (*env)->ReleaseStringUTFChars(env, name, chars);
    return number;
}

/*
 * Makes a system call of this thread fail, if its argument at an index (0 to 5; -1: any) has this value; or, if that is
 * a flag, lacks it.
 */
JNIEXPORT jint JNICALL Java_io_github_nettyunix_testing_FailingCalls_fail(JNIEnv *env, jclass class, jint number,
        jint index, jint value, jboolean lacking, jint error) {
    (void) env, (void) class;
    unsigned argument = index < 0 ? offsetof(struct seccomp_data, nr)
                                  : (unsigned) offsetof(struct seccomp_data, args) + 8u * (unsigned) index;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument),
        BPF_JUMP(BPF_JMP | (lacking ? BPF_JSET : BPF_JEQ) | BPF_K, (unsigned) (index < 0 ? number : value), lacking,
                !lacking),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned) error & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
        return -errno;
    return 0;
}
