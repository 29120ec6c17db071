/*
 * Shared by all files of the library. Each .c file belongs to the Java class of the same name in
 * io.github.nettyunix.socket, and offers one function that registers that class's native methods.
 *
 * Conventions: a native function is one system call. It answers a negative errno on failure, retries on EINTR, allocates
 * nothing and looks nothing up. Descriptors it creates are close-on-exec, sockets it creates are non-blocking as well.
 */
#ifndef NETTYUNIX_H
#define NETTYUNIX_H

#include <errno.h>
#include <jni.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/* Many messages in one system call. FreeBSD's functions of that name are loops in its libc, as ours are. */
#ifndef HAS_MMSG
#ifdef __linux__
#define HAS_MMSG 1
#else
#define HAS_MMSG 0
#endif
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0                                  /* older macOS: see SO_NOSIGPIPE */
#endif

/* macOS may lose a descriptor that is closed here before the receiver has taken it: how long a sent one is kept open. */
#ifdef __APPLE__
#define KEEP_SENT_MILLIS 1000
#else
#define KEEP_SENT_MILLIS 0
#endif

#define MAX_FDS 253                                     /* SCM_MAX_FD of Linux */
#define MAX_NAME sizeof(((struct sockaddr_un *) 0)->sun_path)

/* Calls again for as long as a signal interrupts: int n = RETRY(close(fd)); */
#define RETRY(call) ({ __typeof__(call) result_; do { result_ = (call); } while (result_ == -1 && errno == EINTR); result_; })
/* The result of a system call as our callers expect it. */
#define RESULT(call) ({ __typeof__(call) value_ = RETRY(call); value_ == -1 ? (__typeof__(call)) -errno : value_; })

#define POINTER(address) ((void *) (intptr_t) (address))
#define NATIVE(name, signature, function) {(char *) (name), (char *) (signature), (void *) (function)}
#define COUNT(array) ((jint) (sizeof(array) / sizeof((array)[0])))

/* Flags of a received record that the end of the stream does not have: see mark_records in unix_socket.c. */
#ifdef __linux__
#define RECORD_MARKS MSG_CTRUNC
#else
#define RECORD_MARKS (MSG_CTRUNC | MSG_EOR)
#endif

/* Finds io.github.nettyunix.socket.<simple_name>, wherever shading has moved it, and registers its native methods. */
jint nettyunix_register(JNIEnv *env, const char *simple_name, const JNINativeMethod *methods, jint count);

jint nettyunix_child_processes_onload(JNIEnv *env);
jint nettyunix_file_descriptors_onload(JNIEnv *env);
jint nettyunix_native_memory_onload(JNIEnv *env);
jint nettyunix_platform_onload(JNIEnv *env);
jint nettyunix_process_onload(JNIEnv *env);
jint nettyunix_receive_batch_onload(JNIEnv *env);
jint nettyunix_send_batch_onload(JNIEnv *env);
jint nettyunix_socket_files_onload(JNIEnv *env);
jint nettyunix_unix_socket_onload(JNIEnv *env);

/*
 * A name is what sun_path holds: a path without its final NUL, an abstract name with its first one, or nothing at all.
 * encode answers the length of the address, 0 if the name is too long.
 */
socklen_t nettyunix_encode_name(struct sockaddr_un *address, const char *name, size_t length);
size_t nettyunix_decode_name(const struct sockaddr_un *address, socklen_t length);

/* Closes descriptors that nobody else has to do with. */
void nettyunix_close_all(const int32_t *fds, int count);

#endif
