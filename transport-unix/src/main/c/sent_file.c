/* SentFile.java: files whose bytes the kernel itself writes to a socket. See sendfile(2). */
#include "nettyunix.h"

#include <fcntl.h>
#ifdef __linux__
#include <sys/sendfile.h>
#endif

/* The maximum that one call transfers. */
#define MOST 0x7ffff000

/* The fields of a Netty FileRegion that hold its file, of a JDK FileChannel, and of its descriptor. */
static jfieldID region_channel, channel_lock, channel_descriptor;
#ifdef __linux__
static jfieldID region_transferred, descriptor_number;
#endif
static jclass channel_class;

static jfieldID find(JNIEnv *env, jclass class, const char *name, const char *type) {
    jfieldID field = class == NULL ? NULL : (*env)->GetFieldID(env, class, name, type);
    if (field == NULL) (*env)->ExceptionClear(env);
    return field;
}

/* Other releases of the JDK and of Netty may have other fields; Java then copies the bytes. */
static jint find_fields(JNIEnv *env, jclass class, jclass region) {
    (void) class;
    REQUIRE(region != NULL);
#ifdef __linux__
    region_channel = find(env, region, "file", "Ljava/nio/channels/FileChannel;");
    region_transferred = find(env, region, "transferred", "J");
    jclass local = (*env)->FindClass(env, "sun/nio/ch/FileChannelImpl");
    if (local == NULL) (*env)->ExceptionClear(env);
    channel_descriptor = find(env, local, "fd", "Ljava/io/FileDescriptor;");
    channel_lock = find(env, local, "closeLock", "Ljava/lang/Object;");
    jclass descriptor = (*env)->FindClass(env, "java/io/FileDescriptor");
    if (descriptor == NULL) (*env)->ExceptionClear(env);
    descriptor_number = find(env, descriptor, "fd", "I");
    if (region_channel == NULL || region_transferred == NULL) return -ENOSYS;
    if (channel_descriptor == NULL || channel_lock == NULL || descriptor_number == NULL) return -ENOSYS;
    if (channel_class == NULL) channel_class = (*env)->NewGlobalRef(env, local);
    return channel_class == NULL ? -ENOMEM : 0;
#else
    (void) env, (void) find, (void) MOST;
    return -ENOSYS;
#endif
}

static void forget_channel_class(JNIEnv *env) {
    if (channel_class != NULL) (*env)->DeleteGlobalRef(env, channel_class);
    channel_class = NULL;
}

/*
 * Stores {channel, lock, descriptor}. Returns -EBADF if the region has no open file, and -EOPNOTSUPP if it is not one
 * of the JDK's own.
 */
static jint open_file(JNIEnv *env, jclass class, jobject region, jobjectArray parts) {
    (void) class;
    REQUIRE(region != NULL && has_room(env, parts, 3) && channel_class != NULL);
    jobject channel = (*env)->GetObjectField(env, region, region_channel);
    if (channel == NULL) return -EBADF;
    if (!(*env)->IsInstanceOf(env, channel, channel_class)) return -EOPNOTSUPP;
    jobject found[] = {channel, (*env)->GetObjectField(env, channel, channel_lock),
        (*env)->GetObjectField(env, channel, channel_descriptor)};
    for (jint i = 0; i < COUNT(found); i++) {
        if (found[i] == NULL) return -EOPNOTSUPP;
        (*env)->SetObjectArrayElement(env, parts, i, found[i]);
    }
    return 0;
}

/*
 * Returns the number of bytes sent, or 0 at the end of the file; the region counts them. Returns -EOPNOTSUPP if they
 * must be copied: the file cannot be sent this way, or the call would block because another holder of the socket has
 * made it blocking. There is no flag like MSG_DONTWAIT for this call.
 */
static jlong send_file(JNIEnv *env, jclass class, jint socket, jobject region, jobject file, jlong offset,
        jlong count) {
    (void) env, (void) class;
    REQUIRE(region != NULL && file != NULL && channel_class != NULL && offset >= 0 && count > 0
            && count <= INT64_MAX - offset);
#ifdef __linux__
    off_t position = (off_t) offset;
    if (position != offset) return -EOPNOTSUPP;
    int flags = RESULT(fcntl(socket, F_GETFL));
    if (flags < 0) return flags;
    if ((flags & O_NONBLOCK) == 0) return -EOPNOTSUPP;
    jint number = (*env)->GetIntField(env, file, descriptor_number);
    ssize_t sent = RESULT(sendfile(socket, number, &position, (size_t) (count < MOST ? count : MOST)));
    if (sent == -EINVAL || sent == -ENOSYS) return -EOPNOTSUPP;
    if (sent > 0) {
        jlong before = (*env)->GetLongField(env, region, region_transferred);
        (*env)->SetLongField(env, region, region_transferred, before + sent);
    }
    return sent;
#else
    (void) socket;
    return -EOPNOTSUPP;
#endif
}

static const JNINativeMethod methods[] = {
    NATIVE("findFields", "(Ljava/lang/Class;)I", find_fields),
    NATIVE("openFile", "(Ljava/lang/Object;[Ljava/lang/Object;)I", open_file),
    NATIVE("sendFile", "(ILjava/lang/Object;Ljava/io/FileDescriptor;JJ)J", send_file),
};

const native_class nettyunix_sent_file = {
    .name = "SentFile",
    .methods = methods,
    .method_count = COUNT(methods),
    .unload = forget_channel_class,
};
