/* FileDescriptors.java: operations on descriptors of any type. See open(2), fcntl(2), dup(2). */
#include "nettyunix.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <sys/uio.h>
#include <unistd.h>

#if defined(__linux__) || (defined(__FreeBSD__) && __FreeBSD__ >= 13)
#define HAS_EVENTFD 1
#endif
#ifdef HAS_EVENTFD
#include <sys/eventfd.h>
#endif

/* glibc has memfd_create since 2.27 and statx since 2.28. The library must load where they are missing. */
#if defined(SYS_memfd_create) && !defined(MFD_ALLOW_SEALING)
#include <linux/memfd.h>
#endif
#if defined(SYS_statx) && !defined(STATX_TYPE)
#include <linux/stat.h>
#endif

static jint open_path(JNIEnv *env, jclass class, jbyteArray path, jint flags, jint mode) {
    (void) class;
    /* In the order of FileDescriptors' constants. */
    static const int known[] = {O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_SYNC, O_DSYNC};
    static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR};
    REQUIRE((flags & 3) < COUNT(access) && flags >= 0 && flags < 4 << COUNT(known) && (mode & ~07777) == 0);
    int native = access[flags & 3] | O_CLOEXEC;
    for (jint i = 0; i < COUNT(known); i++) {
        if (flags & (4 << i)) native |= known[i];
    }
    int result;
    jbyte *chars = nettyunix_string(env, path, &result);
    if (chars == NULL) return result;
    result = RESULT(open((const char *) chars, native, (mode_t) mode));
    (*env)->ReleaseByteArrayElements(env, path, chars, JNI_ABORT);
    return result;
}

/* least is the lowest acceptable number. */
static jint duplicate(JNIEnv *env, jclass class, jint fd, jint least) {
    (void) env, (void) class;
    REQUIRE(least >= 0);
    return RESULT(fcntl(fd, F_DUPFD_CLOEXEC, least));
}

/* Duplicates fd to a number, which is closed first if it is open. */
static jint replace(JNIEnv *env, jclass class, jint fd, jint number) {
    (void) env, (void) class;
    REQUIRE(number >= 0 && fd != number);
#ifdef __linux__
    return RESULT_ONCE(dup3(fd, number, O_CLOEXEC));
#else
    int result = RESULT_ONCE(dup2(fd, number));
    return result < 0 ? result : RESULT(fcntl(number, F_SETFD, FD_CLOEXEC));
#endif
}

/* Sets the size of a file; if it grows, the new bytes are 0. */
static jint set_size(JNIEnv *env, jclass class, jint fd, jlong size) {
    (void) env, (void) class;
    REQUIRE(size >= 0);
    return RESULT(ftruncate(fd, (off_t) size));
}

/* Sets the offset in a file. */
static jint seek(JNIEnv *env, jclass class, jint fd, jlong offset) {
    (void) env, (void) class;
    REQUIRE(offset >= 0);
    return lseek(fd, (off_t) offset, SEEK_SET) == -1 ? -errno : 0;
}

/* Creates an eventfd. */
static jint event_counter(JNIEnv *env, jclass class, jint initial, jboolean blocking, jboolean semaphore) {
    (void) env, (void) class;
#ifdef HAS_EVENTFD
    int flags = EFD_CLOEXEC | (blocking ? 0 : EFD_NONBLOCK) | (semaphore ? EFD_SEMAPHORE : 0);
    return RESULT(eventfd((unsigned) initial, flags));
#else
    (void) initial, (void) blocking, (void) semaphore;
    return -ENOSYS;
#endif
}

/* Returns -EINVAL in blocking mode. Another holder of the open file can change the mode at any time. */
static int check_mode(int fd) {
    int flags = RESULT(fcntl(fd, F_GETFL));
    if (flags < 0) return flags;
    return (flags & O_NONBLOCK) != 0 ? 0 : -EINVAL;
}

/* The counter of an eventfd is transferred as a whole. */
static int transferred(ssize_t result) {
    return result < 0 ? (int) result : result == sizeof(uint64_t) ? 0 : -EINVAL;
}

static jint add_to_counter(JNIEnv *env, jclass class, jint fd, jlong count) {
    (void) env, (void) class;
    REQUIRE(count > 0);
    int result = check_mode(fd);
    if (result < 0) return result;
    return transferred(RESULT(write(fd, &count, sizeof(count))));
}

static ssize_t read_counter(int fd, jlong *count) {
#ifdef SYS_preadv2
    /* Does not block, whatever the mode is. Linux 5.8 for eventfds. */
    enum { NOWAIT = 8 };
    struct iovec to = {count, sizeof(*count)};
    ssize_t read_now = RESULT(syscall(SYS_preadv2, fd, &to, 1, -1L, -1L, NOWAIT));
    if (read_now != -EOPNOTSUPP && read_now != -ENOSYS) return read_now;
#endif
    int result = check_mode(fd);
    if (result < 0) return result;
    return RESULT(read(fd, count, sizeof(*count)));
}

static jint take_counter(JNIEnv *env, jclass class, jint fd, jlongArray count) {
    (void) class;
    REQUIRE(has_room(env, count, 1));
    jlong taken = 0;
    int result = transferred(read_counter(fd, &taken));
    if (result == 0) (*env)->SetLongArrayRegion(env, count, 0, 1, &taken);
    return result;
}

/* Returns 1 if it is open for reading, plus 2 if it is open for writing. */
static jint access_mode(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    int flags = RESULT(fcntl(fd, F_GETFL));
    if (flags < 0) return flags;
    switch (flags & O_ACCMODE) {
        case O_RDONLY: return 1;
        case O_WRONLY: return 2;
        default: return 3;
    }
}

static jint close_on_exec(JNIEnv *env, jclass class, jint fd, jboolean on) {
    (void) env, (void) class;
    return RESULT(fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0));
}

/* Sets whether reads and writes block. The mode belongs to the open file, which others may share. */
static jint set_blocking(JNIEnv *env, jclass class, jint fd, jboolean blocking) {
    (void) env, (void) class;
    int flags = RESULT(fcntl(fd, F_GETFL));
    return flags < 0 ? flags : RESULT(fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK));
}

/*
 * Returns what fstat(2) would, as far as possible without contacting a server: that of a FUSE or network file system
 * may not respond.
 */
typedef struct {
    mode_t mode;
    int64_t size;
    uint64_t device;                                    /* of the file system */
    uint32_t special_major;                             /* of a device file, or 0 if unknown */
    int by_fstat;                                       /* which numbers file systems in another way than statx */
} file_status;

static int get_status(int fd, file_status *status) {
#ifdef SYS_statx
    struct statx file;
    int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
    if (syscall(SYS_statx, fd, "", flags, STATX_TYPE | STATX_SIZE, &file) == 0) {
        uint64_t device = (uint64_t) file.stx_dev_major << 32 | file.stx_dev_minor;
        *status = (file_status) {file.stx_mode, (int64_t) file.stx_size, device, file.stx_rdev_major, 0};
        return 0;
    }
    /* Needed before Linux 4.11, and under an old seccomp filter. */
    if (errno != ENOSYS && errno != EPERM) return -errno;
#endif
    struct stat old;
    if (fstat(fd, &old) == -1) return -errno;
    *status = (file_status) {.mode = old.st_mode, .size = old.st_size, .device = (uint64_t) old.st_dev, .by_fstat = 1};
    return 0;
}

#ifdef F_ADD_SEALS
#ifdef MFD_ALLOW_SEALING
/* The number of the file system of all memfds, by file_status.by_fstat; 0 if it is not known. */
static uint64_t memfd_device[2];

static void find_memfd_device(void) {
    int sample = nettyunix_open_memory("", MFD_CLOEXEC);
    if (sample < 0) return;
    file_status memfd;
    if (get_status(sample, &memfd) == 0) {
        __atomic_store_n(&memfd_device[memfd.by_fstat], memfd.device, __ATOMIC_RELAXED);
    }
    close(sample);
}
#endif

/*
 * Whether a file that can have seals is a memfd, and not a file of a tmpfs. A tmpfs file has only F_SEAL_SEAL, but so
 * has a memfd that was created without MFD_ALLOW_SEALING. The two differ in that all memfds are in one file system that
 * is not mounted anywhere.
 */
static int is_memfd(int seals, const file_status *status) {
    if (seals != F_SEAL_SEAL) return 1;
#ifdef MFD_ALLOW_SEALING
    const uint64_t *device = &memfd_device[status->by_fstat];
    if (__atomic_load_n(device, __ATOMIC_RELAXED) == 0) find_memfd_device();
    return __atomic_load_n(device, __ATOMIC_RELAXED) == status->device;
#else
    (void) status;
    return 0;
#endif
}
#endif

/* Returns the type of the file, and stores its size in size[0]. */
static jint status(JNIEnv *env, jclass class, jint fd, jlongArray size) {
    (void) class;
    /* In the order of FileDescriptors' constants. */
    enum { REGULAR, DIRECTORY, PIPE, SOCKET, MEMORY, CHARACTERS, BLOCKS, OTHER };
    REQUIRE(has_room(env, size, 1));
    file_status file;
    int result = get_status(fd, &file);
    if (result < 0) return result;
    jlong bytes = file.size;
    (*env)->SetLongArrayRegion(env, size, 0, 1, &bytes);
#ifdef F_ADD_SEALS
    int seals;
#endif
    switch (file.mode & S_IFMT) {
        case S_IFREG:
#ifdef F_ADD_SEALS
            seals = fcntl(fd, F_GET_SEALS);
            return seals != -1 && is_memfd(seals, &file) ? MEMORY : REGULAR;
#else
            return REGULAR;
#endif
        case S_IFDIR: return DIRECTORY;
        case S_IFIFO: return PIPE;
        case S_IFSOCK: return SOCKET;
        case S_IFCHR: return CHARACTERS;
        case S_IFBLK: return BLOCKS;
        default: return OTHER;
    }
}

/* Never retried: an interrupted close has already freed the number, which another thread may have reused. */
static jint close_one(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    return close(fd) == -1 && errno != EINTR ? -errno : 0;
}

/*
 * Whether close(2) of a descriptor certainly does not block. This is true of memory files, pipes and memory devices
 * such as /dev/null. It is not true of sockets: TCP sockets may linger, and an AF_UNIX socket may hold such a socket in
 * its queue.
 */
static int closes_at_once(int fd) {
#ifdef __linux__
    enum { MEMORY_DEVICES = 1 };
    file_status file;
    if (get_status(fd, &file) < 0) return 0;
    switch (file.mode & S_IFMT) {
        case S_IFIFO: return 1;
        case S_IFCHR: return file.special_major == MEMORY_DEVICES;
        case S_IFREG: return fcntl(fd, F_GET_SEALS) != -1;
        default: return 0;
    }
#else
    (void) fd;
    return 0;
#endif
}

int nettyunix_close_harmless(int32_t *fds, int count) {
    int left = 0;
    int harmless = 0;
    int32_t closing[MAX_FDS];
    for (int i = 0; i < count; i++) {
        if (closes_at_once(fds[i])) closing[harmless++] = fds[i];
        else fds[left++] = fds[i];
    }
    nettyunix_close_all(closing, harmless);
    return left;
}

/* Returns 1 if the descriptor is still open because closing it may block, otherwise 0. */
static jint close_if_harmless(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    if (!closes_at_once(fd)) return 1;
    close(fd);
    return 0;
}

/*
 * Closes the descriptors whose closing cannot block, and moves the others to the front. Returns the number of the
 * others. At most MAX_FDS.
 */
static jint close_harmless(JNIEnv *env, jclass class, jintArray array, jint count) {
    (void) class;
    REQUIRE(count >= 0 && count <= MAX_FDS && has_room(env, array, count));
    jint fds[MAX_FDS];
    (*env)->GetIntArrayRegion(env, array, 0, count, fds);
    for (jint i = 0; i < count; i++) REQUIRE(fds[i] >= 0);
    jint left = nettyunix_close_harmless(fds, count);
    (*env)->SetIntArrayRegion(env, array, 0, left, fds);
    return left;
}

void nettyunix_close_all(const int32_t *fds, int count) {
    for (int i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && fds[next] == fds[next - 1] + 1;) next++;
#ifdef SYS_close_range
        /* If possible, the kernel gives the descriptors of a message consecutive numbers. */
        if (next - i > 1 && syscall(SYS_close_range, fds[i], fds[next - 1], 0) == 0) continue;
#endif
        for (int j = i; j < next; j++) close(fds[j]);
    }
}

static jint close_all(JNIEnv *env, jclass class, jintArray array, jint count) {
    (void) class;
    REQUIRE(count >= 0 && count <= MAX_FDS && has_room(env, array, count));
    jint fds[MAX_FDS];
    (*env)->GetIntArrayRegion(env, array, 0, count, fds);
    for (jint i = 0; i < count; i++) REQUIRE(fds[i] >= 0);
    nettyunix_close_all(fds, count);
    return 0;
}

/* Returns the number in a java.io.FileDescriptor, which has no public accessor. */
static jfieldID number_field;

static jint find_number_field(JNIEnv *env) {
    jclass descriptor = (*env)->FindClass(env, "java/io/FileDescriptor");
    if (descriptor == NULL) return JNI_ERR;
    number_field = (*env)->GetFieldID(env, descriptor, "fd", "I");
    (*env)->DeleteLocalRef(env, descriptor);
    return number_field == NULL ? JNI_ERR : JNI_OK;
}

static jint number(JNIEnv *env, jclass class, jobject fd) {
    (void) class;
    REQUIRE(fd != NULL);
    return (*env)->GetIntField(env, fd, number_field);
}

static const JNINativeMethod methods[] = {
    NATIVE("open", "([BII)I", open_path),
    NATIVE("duplicate", "(II)I", duplicate),
    NATIVE("replace", "(II)I", replace),
    NATIVE("setSize", "(IJ)I", set_size),
    NATIVE("seek", "(IJ)I", seek),
    NATIVE("eventCounter", "(IZZ)I", event_counter),
    NATIVE("addToCounter", "(IJ)I", add_to_counter),
    NATIVE("takeCounter", "(I[J)I", take_counter),
    NATIVE("accessMode", "(I)I", access_mode),
    NATIVE("closeOnExec", "(IZ)I", close_on_exec),
    NATIVE("setBlocking", "(IZ)I", set_blocking),
    NATIVE("status", "(I[J)I", status),
    NATIVE("close", "(I)I", close_one),
    NATIVE("closeIfHarmless", "(I)I", close_if_harmless),
    NATIVE("closeHarmless", "([II)I", close_harmless),
    NATIVE("closeAll", "([II)I", close_all),
    NATIVE("number", "(Ljava/io/FileDescriptor;)I", number),
};

static jint load(JNIEnv *env) {
#if defined(F_ADD_SEALS) && defined(MFD_ALLOW_SEALING)
    /* Later this process may be at its limit of descriptors. */
    find_memfd_device();
#endif
    return find_number_field(env);
}

const native_class nettyunix_file_descriptors = {
    .name = "FileDescriptors",
    .methods = methods,
    .method_count = COUNT(methods),
    .load = load,
};
