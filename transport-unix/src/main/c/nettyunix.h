/*
 * Shared by all files of the library. Each .c file contains the native methods of the Java class of the same name, and
 * ends with their table, a native_class, which library.c registers.
 *
 * Conventions: a native function is one system call. It first checks every number that Java has passed, see REQUIRE. It
 * returns a negative errno on failure, retries on EINTR, allocates nothing and performs no JNI lookups. Descriptors
 * that it creates are close-on-exec; sockets that it creates are also non-blocking.
 */
#ifndef NETTYUNIX_H
#define NETTYUNIX_H

#include <errno.h>
#include <jni.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/* Many messages per system call. FreeBSD's functions of that name are loops in its libc, as ours are. */
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

/*
 * macOS may lose a descriptor that is closed here before the receiver has taken it. This is how long a sent one is kept
 * open.
 */
#ifdef __APPLE__
#define KEEP_SENT_MILLIS 1000
#else
#define KEEP_SENT_MILLIS 0
#endif

#ifndef IOV_MAX
#define IOV_MAX 1024
#endif

#define MAX_FDS 253                                     /* SCM_MAX_FD of Linux */
#define MAX_NAME sizeof(((struct sockaddr_un *) 0)->sun_path)

/*
 * C trusts no number that comes from Java. Counts, indices, lengths, offsets, ranges of memory and the contents of
 * batches are checked before the first system call and the first memory access, in release builds too. A bug in Java is
 * then an EINVAL that names the operation, and not a write to unrelated memory. Descriptors are checked by the kernel
 * (EBADF).
 */
#define REQUIRE(condition) REQUIRE_OR(-EINVAL, condition)
#define REQUIRE_OR(result, condition) \
    do { \
        if (__builtin_expect(!(condition), 0)) return (result); \
    } while (0)

/*
 * Repeats a call while signals interrupt it: ssize_t n = RETRY(read(fd, buffer, size)). Never use it for close, dup2
 * and dup3: on Linux and the BSDs, close releases the descriptor even if it fails with EINTR, so that a second call
 * would close a descriptor that another thread has opened.
 */
#define RETRY(call) \
    ({ \
        __typeof__(call) result_; \
        do { \
            result_ = (call); \
        } while (result_ == -1 && errno == EINTR); \
        result_; \
    })
/* The result of a system call in the form that Java expects. */
#define RESULT(call) RESULT_ONCE(RETRY(call))
#define RESULT_ONCE(call) \
    ({ \
        __typeof__(call) value_ = (call); \
        value_ == -1 ? (__typeof__(call)) -errno : value_; \
    })

#define POINTER(address) ((void *) (intptr_t) (address))
#define NATIVE(name, signature, function) {(char *) (name), (char *) (signature), (void *) (function)}
#define COUNT(array) ((jint) (sizeof(array) / sizeof((array)[0])))

/* Whether an address can be the start of that many bytes, at least one, of memory. */
static inline int is_range(jlong address, jlong length) {
    uintptr_t start = (uintptr_t) address;
    return start != 0 && length > 0 && (uint64_t) length <= UINTPTR_MAX - start;
}

/* Whether a Java array has at least that many elements. */
static inline int has_room(JNIEnv *env, jarray array, jsize elements) {
    return array != NULL && (*env)->GetArrayLength(env, array) >= elements;
}

/* Flags that a received record has and the end of the stream does not: see mark_records in unix_socket.c. */
#ifdef __linux__
#define RECORD_MARKS MSG_CTRUNC
#else
#define RECORD_MARKS (MSG_CTRUNC | MSG_EOR)
#endif

/* The native methods of one Java class. */
typedef struct {
    const char *name;                   /* without the package, which shading may have changed: see library.c */
    const JNINativeMethod *methods;
    jint method_count;
    /*
     * Called before the methods are registered, unless NULL. Returns JNI_OK, or JNI_ERR if there is nothing to unload.
     */
    jint (*load)(JNIEnv *env);
    void (*unload)(JNIEnv *env);
} native_class;

extern const native_class nettyunix_child_processes;
extern const native_class nettyunix_file_descriptors;
extern const native_class nettyunix_memory_file;
extern const native_class nettyunix_native_memory;
extern const native_class nettyunix_platform;
extern const native_class nettyunix_process;
extern const native_class nettyunix_receive_batch;
extern const native_class nettyunix_send_batch;
extern const native_class nettyunix_sent_file;
extern const native_class nettyunix_socket_files;
extern const native_class nettyunix_unix_socket;

/*
 * Returns the bytes of an array that is a C string: its only NUL is the last byte. Returns NULL, with a negative errno
 * in *error, if it is not such an array or memory is exhausted. The caller releases the bytes with
 * ReleaseByteArrayElements.
 */
jbyte *nettyunix_string(JNIEnv *env, jbyteArray array, int *error);

/*
 * A name is the content of sun_path: a path without its trailing NUL, an abstract name with its leading NUL, or
 * nothing. encode returns the length of the address, or 0 if the name is too long.
 */
socklen_t nettyunix_encode_name(struct sockaddr_un *address, const char *name, size_t length);
/* The same for a Java array. Returns a negative errno if it is not such a name. */
int nettyunix_encode_array(JNIEnv *env, struct sockaddr_un *address, jbyteArray name);
size_t nettyunix_decode_name(const struct sockaddr_un *address, socklen_t length);

/* See memfd_create(2). Returns a negative errno, -ENOSYS on platforms that lack it. */
int nettyunix_open_memory(const char *name, unsigned flags);

/* Closes descriptors that were opened here and that nobody else uses. Closing others may block. */
void nettyunix_close_all(const int32_t *fds, int count);

/*
 * Closes those of the descriptors, at most MAX_FDS, whose close(2) cannot block, and moves the others to the front.
 * Returns the number of the others, which DescriptorCloser.java closes.
 */
int nettyunix_close_harmless(int32_t *fds, int count);

#endif
