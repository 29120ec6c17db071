/*
 * MemoryFile.java: files in memory, their seals, and mappings. See memfd_create(2), F_ADD_SEALS in fcntl(2), and
 * mmap(2).
 */
#include "nettyunix.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/statfs.h>
#include <sys/syscall.h>
#endif
#include <unistd.h>

/* glibc has memfd_create since 2.27. The library must load where it is missing. */
#if defined(SYS_memfd_create) && !defined(MFD_ALLOW_SEALING)
#include <linux/memfd.h>
#endif

int nettyunix_open_memory(const char *name, unsigned flags) {
#if defined(MFD_ALLOW_SEALING) && defined(__linux__)
    return (int) RESULT(syscall(SYS_memfd_create, name, flags));
#elif defined(MFD_ALLOW_SEALING)
    return RESULT(memfd_create(name, flags));
#else
    (void) name, (void) flags;
    return -ENOSYS;
#endif
}

#ifdef MFD_ALLOW_SEALING
/* A file that nobody can execute, where the kernel has such files. Linux 6.3 and later. */
static int open_unexecutable(const char *name) {
#ifdef __linux__
    enum { NOEXEC_SEAL = 8 };
    int fd = nettyunix_open_memory(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | NOEXEC_SEAL);
    if (fd != -EINVAL) return fd;
#endif
    return nettyunix_open_memory(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}
#endif

/* An anonymous file in memory that can be sealed. */
static jint open_file(JNIEnv *env, jclass class, jstring name, jboolean executable) {
    (void) class;
    REQUIRE(name != NULL);
#ifdef MFD_ALLOW_SEALING
    const char *chars = (*env)->GetStringUTFChars(env, name, NULL);
    if (chars == NULL) return -ENOMEM;
    int result = executable ? nettyunix_open_memory(chars, MFD_CLOEXEC | MFD_ALLOW_SEALING) : open_unexecutable(chars);
    (*env)->ReleaseStringUTFChars(env, name, chars);
    return result;
#else
    (void) env, (void) executable;
    return -ENOSYS;
#endif
}

/* In the order of UnixFileDescriptor.Seal. */
#ifdef F_ADD_SEALS
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif
static const int all_seals[] = {
    F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE, F_SEAL_EXEC};
#endif

/* Adds seals to a memory file: bit i stands for the i-th seal. */
static jint add_seals(JNIEnv *env, jclass class, jint fd, jint seals) {
    (void) env, (void) class;
#ifdef F_ADD_SEALS
    int native = 0;
    REQUIRE(seals >= 0 && seals < 1 << COUNT(all_seals));
    for (jint i = 0; i < COUNT(all_seals); i++) {
        if (seals & 1 << i) native |= all_seals[i];
    }
    return RESULT(fcntl(fd, F_ADD_SEALS, native));
#else
    (void) fd, (void) seals;
    return -ENOSYS;
#endif
}

/* Returns the seals of a file; -EINVAL if files of its type have none. */
static jint get_seals(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
#ifdef F_ADD_SEALS
    int native = RESULT(fcntl(fd, F_GET_SEALS));
    if (native < 0) return native;
    jint seals = 0;
    for (jint i = 0; i < COUNT(all_seals); i++) {
        if (native & all_seals[i]) seals |= 1 << i;
    }
    return seals;
#else
    (void) fd;
    return -EINVAL;
#endif
}

/*
 * Whether a file that can have seals is made of ordinary pages. Huge pages come from a pool of limited size. If another
 * process punches a hole into such a file while the pool is empty, an access to the hole raises SIGBUS, whatever the
 * seals. Only for files that can have seals: the server of a FUSE file system may never respond to statfs.
 */
static jint has_ordinary_pages(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
#ifdef __linux__
    enum { TMPFS = 0x01021994 };
    struct statfs file_system;
    int result = RESULT(fstatfs(fd, &file_system));
    return result < 0 ? result : file_system.f_type == TMPFS;
#else
    (void) fd;
    return 1;
#endif
}

static int is_page_aligned(jlong value) {
    return value % sysconf(_SC_PAGESIZE) == 0;
}

/* Returns the address of the mapping, which others that have the file share; or a negative errno. */
static jlong map(JNIEnv *env, jclass class, jint fd, jlong offset, jint length, jboolean writable) {
    (void) env, (void) class;
    REQUIRE(offset >= 0 && is_page_aligned(offset) && length > 0 && offset <= INT64_MAX - length);
    int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *memory = mmap(NULL, (size_t) length, protection, MAP_SHARED, fd, (off_t) offset);
    return memory == MAP_FAILED ? -errno : (jlong) (intptr_t) memory;
}

/* Replaces reserved address space by a part of a file. */
static int map_at(char *address, int fd, size_t offset, size_t length) {
    void *memory = mmap(address, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, (off_t) offset);
    return memory == MAP_FAILED ? -errno : 0;
}

/*
 * Maps the header and the data at the start of a file, and the data once more behind them:
 *
 *     file     | header | data |
 *     memory   | header | data | data |
 *
 * so that any part of the data up to its full length is contiguous in memory. Returns the address, or a negative errno.
 */
static jlong map_ring(JNIEnv *env, jclass class, jint fd, jint header, jint data) {
    (void) env, (void) class;
    REQUIRE(header >= 0 && is_page_aligned(header) && data > 0 && is_page_aligned(data));
    jlong size = header + 2 * (jlong) data;
    REQUIRE(size <= INT32_MAX);
    char *start = mmap(NULL, (size_t) size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return -errno;
    size_t end = (size_t) header + (size_t) data;
    int result = map_at(start, fd, 0, end);
    if (result == 0) result = map_at(start + end, fd, (size_t) header, (size_t) data);
    if (result == 0) return (jlong) (intptr_t) start;
    munmap(start, (size_t) size);
    return result;
}

static const JNINativeMethod methods[] = {
    NATIVE("open", "(Ljava/lang/String;Z)I", open_file),
    NATIVE("addSeals", "(II)I", add_seals),
    NATIVE("seals", "(I)I", get_seals),
    NATIVE("hasOrdinaryPages", "(I)I", has_ordinary_pages),
    NATIVE("map", "(IJIZ)J", map),
    NATIVE("mapRing", "(III)J", map_ring),
};

const native_class nettyunix_memory_file = {
    .name = "MemoryFile",
    .methods = methods,
    .method_count = COUNT(methods),
};
