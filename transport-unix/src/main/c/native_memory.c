/*
 * NativeMemory.java: memory for arrays of messages, which the system allocates page by page as it is touched. See
 * mmap(2).
 */
#include "nettyunix.h"

#include <sys/mman.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <unistd.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

#ifdef __linux__
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24                         /* Linux 5.18 */
#endif

/* Whether mlockall(MCL_FUTURE) populates and locks all mapped memory. A page that nobody has touched shows it. */
static int is_filled_at_once(void) {
    size_t page = (size_t) sysconf(_SC_PAGESIZE);
    void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 0;
    unsigned char resident = 0;
    int result = mincore(memory, page, &resident);
    munmap(memory, page);
    return result == 0 && (resident & 1) != 0;
}

/*
 * The memory stays locked, as the process requests, but each page only once it is touched. Before Linux 4.4 it is not
 * locked at all.
 */
static int lock_on_fault(void *memory, size_t size) {
#ifdef SYS_mlock2
    if (syscall(SYS_mlock2, memory, size, MLOCK_ONFAULT) == 0) return 0;
#endif
    return munlock(memory, size);
}
#endif

/* Maps memory of which only touched pages are allocated. Returns its address, or a negative errno. */
static jlong map(JNIEnv *env, jclass class, jlong size) {
    (void) env, (void) class;
    REQUIRE(size > 0 && (uint64_t) size <= SIZE_MAX);
    int protection = PROT_READ | PROT_WRITE;
#ifdef __linux__
    /* Inaccessible memory is not populated by mlockall(MCL_FUTURE) either. */
    int filled = is_filled_at_once();
    if (filled) protection = PROT_NONE;
#endif
    void *memory = mmap(NULL, (size_t) size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return -errno;
#ifdef __linux__
    /*
     * Where huge pages are enabled for all memory, a byte in each of many slots would take 2 MiB each. Kernels may lack
     * huge pages.
     */
    madvise(memory, (size_t) size, MADV_NOHUGEPAGE);
    if (!filled) return (jlong) (intptr_t) memory;
    if (lock_on_fault(memory, (size_t) size) == -1 || mprotect(memory, (size_t) size, PROT_READ | PROT_WRITE) == -1) {
        int error = errno;
        munmap(memory, (size_t) size);
        return -error;
    }
#endif
    return (jlong) (intptr_t) memory;
}

static jint unmap(JNIEnv *env, jclass class, jlong address, jlong size) {
    (void) env, (void) class;
    REQUIRE(is_range(address, size));
    return RESULT(munmap(POINTER(address), (size_t) size));
}

static jint discard(JNIEnv *env, jclass class, jlong address, jlong length) {
    (void) env, (void) class;
    uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);
    /* The end of the last page is 0, from where all of the process's memory would be discarded. */
    REQUIRE(is_range(address, length) && (uintptr_t) address <= UINTPTR_MAX - page);
    uintptr_t start = ((uintptr_t) address + page - 1) / page * page;
    uintptr_t end = ((uintptr_t) address + (uintptr_t) length) / page * page;
    if (end <= start) return 0;
    int result = RESULT(madvise(POINTER(start), end - start, MADV_DONTNEED));
#ifdef __linux__
    if (result == -EINVAL) result = RESULT(madvise(POINTER(start), end - start, MADV_DONTNEED_LOCKED));
#endif
    return result;
}

static jobject buffer(JNIEnv *env, jclass class, jlong address, jint size) {
    (void) class;
    REQUIRE_OR(NULL, is_range(address, size));
    return (*env)->NewDirectByteBuffer(env, POINTER(address), size);
}

static const JNINativeMethod methods[] = {
    NATIVE("map", "(J)J", map),
    NATIVE("unmap", "(JJ)I", unmap),
    NATIVE("discard0", "(JJ)I", discard),
    NATIVE("buffer0", "(JI)Ljava/nio/ByteBuffer;", buffer),
};

const native_class nettyunix_native_memory = {
    .name = "NativeMemory",
    .methods = methods,
    .method_count = COUNT(methods),
};
