/* FileDescriptors.java: what can be done with a descriptor of any kind. See open(2), fcntl(2), memfd_create(2), dup(2). */
#include "nettyunix.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <unistd.h>

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

/* least: the lowest number that will do. */
static jint duplicate(JNIEnv *env, jclass class, jint fd, jint least) {
    (void) env, (void) class;
    REQUIRE(least >= 0);
    return RESULT(fcntl(fd, F_DUPFD_CLOEXEC, least));
}

/* Makes number another name of fd, closing what it was. */
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

/* An anonymous file in memory that can be sealed. */
static jint memory_file(JNIEnv *env, jclass class, jstring name) {
    (void) class;
    REQUIRE(name != NULL);
#ifdef MFD_ALLOW_SEALING
    const char *chars = (*env)->GetStringUTFChars(env, name, NULL);
    if (chars == NULL) return -ENOMEM;
    int result = RESULT(memfd_create(chars, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    (*env)->ReleaseStringUTFChars(env, name, chars);
    return result;
#else
    (void) env;
    return -ENOSYS;
#endif
}

/* No more writing to a memory file, by anybody; its offset returns to the start. */
static jint seal(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    if (lseek(fd, 0, SEEK_SET) == -1) return -errno;
#ifdef F_ADD_SEALS
    return RESULT(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL));
#else
    return -ENOSYS;
#endif
}

/* 1 if it can be read, plus 2 if it can be written. */
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

static jint close_on_exec(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    return RESULT(fcntl(fd, F_SETFD, FD_CLOEXEC));
}

/* Whether reading and writing wait; it is a property of the open file, which others may share. */
static jint set_blocking(JNIEnv *env, jclass class, jint fd, jboolean blocking) {
    (void) env, (void) class;
    int flags = RESULT(fcntl(fd, F_GETFL));
    return flags < 0 ? flags : RESULT(fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK));
}

/* The type of the file; its size goes to size[0]. */
static jint status(JNIEnv *env, jclass class, jint fd, jlongArray size) {
    (void) class;
    /* In the order of FileDescriptors' constants. */
    enum { REGULAR, DIRECTORY, PIPE, SOCKET, MEMORY, CHARACTERS, BLOCKS, OTHER };
    REQUIRE(has_room(env, size, 1));
    struct stat file;
    int result = RESULT(fstat(fd, &file));
    if (result < 0) return result;
    jlong bytes = file.st_size;
    (*env)->SetLongArrayRegion(env, size, 0, 1, &bytes);
    switch (file.st_mode & S_IFMT) {
        case S_IFREG:
#ifdef F_GET_SEALS
            /* Only files in memory can be sealed, and a memory file has no name. */
            return file.st_nlink == 0 && fcntl(fd, F_GET_SEALS) != -1 ? MEMORY : REGULAR;
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

/* Never retried: an interrupted close has freed the number, which another thread may have got by now. */
static jint close_one(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    return close(fd) == -1 && errno != EINTR ? -errno : 0;
}

void nettyunix_close_all(const int32_t *fds, int count) {
    for (int i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && fds[next] == fds[next - 1] + 1;) next++;
#ifdef SYS_close_range
        /* The kernel gives the descriptors of a message numbers that follow each other, where it can. */
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

/* The number in a java.io.FileDescriptor, which has no public accessor. */
static jfieldID number_field;

static jint number(JNIEnv *env, jclass class, jobject fd) {
    (void) class;
    REQUIRE(fd != NULL);
    return (*env)->GetIntField(env, fd, number_field);
}

jint nettyunix_file_descriptors_onload(JNIEnv *env) {
    static const JNINativeMethod methods[] = {
        NATIVE("open", "([BII)I", open_path),
        NATIVE("duplicate", "(II)I", duplicate),
        NATIVE("replace", "(II)I", replace),
        NATIVE("memoryFile", "(Ljava/lang/String;)I", memory_file),
        NATIVE("seal", "(I)I", seal),
        NATIVE("accessMode", "(I)I", access_mode),
        NATIVE("closeOnExec", "(I)I", close_on_exec),
        NATIVE("setBlocking", "(IZ)I", set_blocking),
        NATIVE("status", "(I[J)I", status),
        NATIVE("close", "(I)I", close_one),
        NATIVE("closeAll", "([II)I", close_all),
        NATIVE("number", "(Ljava/io/FileDescriptor;)I", number),
    };
    jclass descriptor = (*env)->FindClass(env, "java/io/FileDescriptor");
    if (descriptor == NULL) return JNI_ERR;
    number_field = (*env)->GetFieldID(env, descriptor, "fd", "I");
    (*env)->DeleteLocalRef(env, descriptor);
    if (number_field == NULL) return JNI_ERR;
    return nettyunix_register(env, "FileDescriptors", methods, COUNT(methods));
}
