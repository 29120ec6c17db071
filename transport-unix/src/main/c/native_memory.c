/* NativeMemory.java: memory for arrays of messages, taken from the system page by page as it is touched. See mmap(2). */
#include "nettyunix.h"

#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

static jlong map(JNIEnv *env, jclass class, jlong size) {
    (void) env, (void) class;
    REQUIRE_OR(0, size > 0 && (uint64_t) size <= SIZE_MAX);
    void *memory = mmap(NULL, (size_t) size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? 0 : (jlong) (intptr_t) memory;
}

static jint unmap(JNIEnv *env, jclass class, jlong address, jlong size) {
    (void) env, (void) class;
    REQUIRE(is_range(address, size));
    return RESULT(munmap(POINTER(address), (size_t) size));
}

static jint discard(JNIEnv *env, jclass class, jlong address, jlong length) {
    (void) env, (void) class;
    REQUIRE(is_range(address, length));
    uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);
    uintptr_t start = ((uintptr_t) address + page - 1) / page * page;
    uintptr_t end = (uintptr_t) (address + length) / page * page;
    return end <= start ? 0 : RESULT(madvise(POINTER(start), end - start, MADV_DONTNEED));
}

static jobject buffer(JNIEnv *env, jclass class, jlong address, jint size) {
    (void) class;
    REQUIRE_OR(NULL, is_range(address, size));
    return (*env)->NewDirectByteBuffer(env, POINTER(address), size);
}

jint nettyunix_native_memory_onload(JNIEnv *env) {
    static const JNINativeMethod methods[] = {
        NATIVE("map", "(J)J", map),
        NATIVE("unmap", "(JJ)I", unmap),
        NATIVE("discard0", "(JJ)I", discard),
        NATIVE("buffer0", "(JI)Ljava/nio/ByteBuffer;", buffer),
    };
    return nettyunix_register(env, "NativeMemory", methods, COUNT(methods));
}
