/* Platform.java: errors by number and name, see errno(3), and limits. */
#include "nettyunix.h"

#include <string.h>

#define ERROR(name) {#name, name}

static const struct { const char *name; jint number; } errors[] = {
    ERROR(E2BIG), ERROR(EACCES), ERROR(EADDRINUSE), ERROR(EADDRNOTAVAIL), ERROR(EAFNOSUPPORT), ERROR(EAGAIN), ERROR(EALREADY),
    ERROR(EBADF), ERROR(EBUSY), ERROR(ECONNABORTED), ERROR(ECONNREFUSED), ERROR(ECONNRESET), ERROR(EDESTADDRREQ), ERROR(EEXIST),
    ERROR(EFAULT), ERROR(EFBIG), ERROR(EINPROGRESS), ERROR(EINTR), ERROR(EINVAL), ERROR(EIO), ERROR(EISCONN), ERROR(EISDIR),
    ERROR(ELOOP), ERROR(EMFILE), ERROR(EMSGSIZE), ERROR(ENAMETOOLONG), ERROR(ENFILE), ERROR(ENOBUFS), ERROR(ENODATA), ERROR(ENODEV),
    ERROR(ENOENT), ERROR(ENOLCK), ERROR(ENOMEM), ERROR(ENOPROTOOPT), ERROR(ENOSPC), ERROR(ENOSYS), ERROR(ENOTCONN),
    ERROR(ENOTDIR), ERROR(ENOTSOCK), ERROR(ENOTSUP), ERROR(ENXIO), ERROR(EOPNOTSUPP), ERROR(EPERM), ERROR(EPIPE),
    ERROR(EPROTO), ERROR(EPROTONOSUPPORT), ERROR(EPROTOTYPE), ERROR(ERANGE), ERROR(EROFS), ERROR(ESOCKTNOSUPPORT),
    ERROR(ESPIPE), ERROR(ESRCH), ERROR(ETIMEDOUT), ERROR(ETOOMANYREFS), ERROR(ETXTBSY), ERROR(EXDEV),
};

static jint error_number(JNIEnv *env, jclass class, jstring name) {
    (void) class;
    REQUIRE_OR(-1, name != NULL);
    const char *chars = (*env)->GetStringUTFChars(env, name, NULL);
    jint number = -1;
    for (jint i = 0; chars != NULL && i < COUNT(errors) && number < 0; i++) {
        if (strcmp(errors[i].name, chars) == 0) number = errors[i].number;
    }
    if (chars != NULL) (*env)->ReleaseStringUTFChars(env, name, chars);
    return number;
}

static jstring error_name(JNIEnv *env, jclass class, jint number) {
    (void) class;
    for (jint i = 0; i < COUNT(errors); i++) {
        if (errors[i].number == number) return (*env)->NewStringUTF(env, errors[i].name);
    }
    return NULL;
}

static jstring error_message(JNIEnv *env, jclass class, jint number) {
    (void) class;
    char buffer[256] = "";
#ifdef __GLIBC__
    const char *text = strerror_r(number, buffer, sizeof(buffer));
#else
    strerror_r(number, buffer, sizeof(buffer));
    const char *text = buffer;
#endif
    return (*env)->NewStringUTF(env, text);
}

static jint keep_sent_millis(JNIEnv *env, jclass class) {
    (void) env, (void) class;
    return KEEP_SENT_MILLIS;
}

/* The longest path that bind and connect take, without the NUL behind it. */
static jint max_path(JNIEnv *env, jclass class) {
    (void) env, (void) class;
    return MAX_NAME - 1;
}

/* See next_piece in receive_batch.c. */
static jboolean tells_pieces(JNIEnv *env, jclass class) {
    (void) env, (void) class;
#ifdef __linux__
    return JNI_TRUE;
#else
    return JNI_FALSE;
#endif
}

jint nettyunix_platform_onload(JNIEnv *env) {
    static const JNINativeMethod methods[] = {
        NATIVE("errorNumber", "(Ljava/lang/String;)I", error_number),
        NATIVE("errorName", "(I)Ljava/lang/String;", error_name),
        NATIVE("errorMessage", "(I)Ljava/lang/String;", error_message),
        NATIVE("maxPath", "()I", max_path),
        NATIVE("keepSentMillis", "()I", keep_sent_millis),
        NATIVE("tellsPieces", "()Z", tells_pieces),
    };
    return nettyunix_register(env, "Platform", methods, COUNT(methods));
}
