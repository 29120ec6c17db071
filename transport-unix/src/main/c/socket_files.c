/* SocketFiles.java: the files that pathname sockets have in the file system. See unix(7), lstat(2), flock(2). */
#include "nettyunix.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

/* All paths come with a final NUL. */
#define WITH_PATH(env, path, call) ({ \
    int status_; \
    jbyte *chars_ = nettyunix_string(env, path, &status_); \
    if (chars_ != NULL) { \
        const char *name = (const char *) chars_; \
        status_ = RESULT(call); \
        (*env)->ReleaseByteArrayElements(env, path, chars_, JNI_ABORT); \
    } \
    status_; \
})

/* Fills {1 if it is a socket, permission bits, device, inode}; a symbolic link is not followed. */
static jint status(JNIEnv *env, jclass class, jbyteArray path, jlongArray result) {
    (void) class;
    REQUIRE(has_room(env, result, 4));
    struct stat file;
    int error = WITH_PATH(env, path, lstat(name, &file));
    if (error < 0) return error;
    jlong values[] = {S_ISSOCK(file.st_mode), file.st_mode & 07777, (jlong) file.st_dev, (jlong) file.st_ino};
    (*env)->SetLongArrayRegion(env, result, 0, COUNT(values), values);
    return 0;
}

static jint remove_file(JNIEnv *env, jclass class, jbyteArray path) {
    (void) class;
    return WITH_PATH(env, path, unlink(name));
}

static jint change_mode(JNIEnv *env, jclass class, jbyteArray path, jint mode) {
    (void) class;
    REQUIRE((mode & ~07777) == 0);
    return WITH_PATH(env, path, chmod(name, (mode_t) mode));
}

/* On Linux the mode of an unbound socket, less the umask, becomes that of the file that bind makes. */
static jint restrict_mode(JNIEnv *env, jclass class, jint fd, jint mode) {
    (void) env, (void) class;
    REQUIRE((mode & ~07777) == 0);
#ifdef __linux__
    return RESULT(fchmod(fd, (mode_t) mode));
#else
    (void) fd;
    return 0;
#endif
}

static jint open_directory(JNIEnv *env, jclass class, jbyteArray path, jboolean reading) {
    (void) class;
    return WITH_PATH(env, path, open(name, (reading ? O_RDONLY : O_PATH) | O_DIRECTORY | O_CLOEXEC));
}

/* An exclusive lock that goes with the descriptor; -EAGAIN while another has it. */
static jint lock(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    int result = RESULT(flock(fd, LOCK_EX | LOCK_NB));
    return result == -EWOULDBLOCK ? -EAGAIN : result;
}

/*
 * Asks whether anybody holds the socket file, without the holder seeing it: a datagram socket is refused by a stream or
 * seqpacket socket with EPROTOTYPE before anything else, and by nobody with ECONNREFUSED.
 */
static jint probe(JNIEnv *env, jclass class, jbyteArray name) {
    (void) class;
    struct sockaddr_un address;
    int size = nettyunix_encode_array(env, &address, name);
    if (size < 0) return size;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd == -1) return -errno;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    int result = RESULT(connect(fd, (struct sockaddr *) &address, (socklen_t) size));
    close(fd);
    return result;
}

jint nettyunix_socket_files_onload(JNIEnv *env) {
    static const JNINativeMethod methods[] = {
        NATIVE("status", "([B[J)I", status),
        NATIVE("remove", "([B)I", remove_file),
        NATIVE("changeMode", "([BI)I", change_mode),
        NATIVE("restrictMode", "(II)I", restrict_mode),
        NATIVE("openDirectory", "([BZ)I", open_directory),
        NATIVE("lock", "(I)I", lock),
        NATIVE("probe", "([B)I", probe),
    };
    return nettyunix_register(env, "SocketFiles", methods, COUNT(methods));
}
