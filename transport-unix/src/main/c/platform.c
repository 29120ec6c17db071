/* Platform.java: errors by number and name, see errno(3), and limits. */
#include "nettyunix.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <locale.h>
#endif

/*
 * If the platform knows an error, its name is a macro for a number, and the stringified macro is that number; otherwise
 * it is only a name. If several names have the same number, the first one is reported.
 */
#define TEXT(name) #name
#define ERROR(name) {#name, TEXT(name)}

/* One row per error would fill three screens. */
/* clang-format off */
static const struct { const char *name, *number; } errors[] = {
    ERROR(EPERM), ERROR(ENOENT), ERROR(ESRCH), ERROR(EINTR), ERROR(EIO), ERROR(ENXIO), ERROR(E2BIG),
    ERROR(ENOEXEC), ERROR(EBADF), ERROR(ECHILD), ERROR(EAGAIN), ERROR(ENOMEM), ERROR(EACCES), ERROR(EFAULT),
    ERROR(ENOTBLK), ERROR(EBUSY), ERROR(EEXIST), ERROR(EXDEV), ERROR(ENODEV), ERROR(ENOTDIR), ERROR(EISDIR),
    ERROR(EINVAL), ERROR(ENFILE), ERROR(EMFILE), ERROR(ENOTTY), ERROR(ETXTBSY), ERROR(EFBIG), ERROR(ENOSPC),
    ERROR(ESPIPE), ERROR(EROFS), ERROR(EMLINK), ERROR(EPIPE), ERROR(EDOM), ERROR(ERANGE), ERROR(EDEADLK),
    ERROR(ENAMETOOLONG), ERROR(ENOLCK), ERROR(ENOSYS), ERROR(ENOTEMPTY), ERROR(ELOOP), ERROR(ENOMSG),
    ERROR(EIDRM), ERROR(ECHRNG), ERROR(EL2NSYNC), ERROR(EL3HLT), ERROR(EL3RST), ERROR(ELNRNG), ERROR(EUNATCH),
    ERROR(ENOCSI), ERROR(EL2HLT), ERROR(EBADE), ERROR(EBADR), ERROR(EXFULL), ERROR(ENOANO), ERROR(EBADRQC),
    ERROR(EBADSLT), ERROR(EBFONT), ERROR(ENOSTR), ERROR(ENODATA), ERROR(ETIME), ERROR(ENOSR), ERROR(ENONET),
    ERROR(ENOPKG), ERROR(EREMOTE), ERROR(ENOLINK), ERROR(EADV), ERROR(ESRMNT), ERROR(ECOMM), ERROR(EPROTO),
    ERROR(EMULTIHOP), ERROR(EDOTDOT), ERROR(EBADMSG), ERROR(EOVERFLOW), ERROR(ENOTUNIQ), ERROR(EBADFD),
    ERROR(EREMCHG), ERROR(ELIBACC), ERROR(ELIBBAD), ERROR(ELIBSCN), ERROR(ELIBMAX), ERROR(ELIBEXEC),
    ERROR(EILSEQ), ERROR(ERESTART), ERROR(ESTRPIPE), ERROR(EUSERS), ERROR(ENOTSOCK), ERROR(EDESTADDRREQ),
    ERROR(EMSGSIZE), ERROR(EPROTOTYPE), ERROR(ENOPROTOOPT), ERROR(EPROTONOSUPPORT), ERROR(ESOCKTNOSUPPORT),
    ERROR(ENOTSUP), ERROR(EOPNOTSUPP), ERROR(EPFNOSUPPORT), ERROR(EAFNOSUPPORT), ERROR(EADDRINUSE),
    ERROR(EADDRNOTAVAIL), ERROR(ENETDOWN), ERROR(ENETUNREACH), ERROR(ENETRESET), ERROR(ECONNABORTED),
    ERROR(ECONNRESET), ERROR(ENOBUFS), ERROR(EISCONN), ERROR(ENOTCONN), ERROR(ESHUTDOWN), ERROR(ETOOMANYREFS),
    ERROR(ETIMEDOUT), ERROR(ECONNREFUSED), ERROR(EHOSTDOWN), ERROR(EHOSTUNREACH), ERROR(EALREADY),
    ERROR(EINPROGRESS), ERROR(ESTALE), ERROR(EUCLEAN), ERROR(ENOTNAM), ERROR(ENAVAIL), ERROR(EISNAM),
    ERROR(EREMOTEIO), ERROR(EDQUOT), ERROR(ENOMEDIUM), ERROR(EMEDIUMTYPE), ERROR(ECANCELED), ERROR(ENOKEY),
    ERROR(EKEYEXPIRED), ERROR(EKEYREVOKED), ERROR(EKEYREJECTED), ERROR(EOWNERDEAD), ERROR(ENOTRECOVERABLE),
    ERROR(ERFKILL), ERROR(EHWPOISON),
    /* Errors that only other systems have. */
    ERROR(EPROCLIM), ERROR(EBADRPC), ERROR(ERPCMISMATCH), ERROR(EPROGUNAVAIL), ERROR(EPROGMISMATCH),
    ERROR(EPROCUNAVAIL), ERROR(EFTYPE), ERROR(EAUTH), ERROR(ENEEDAUTH), ERROR(EDOOFUS), ERROR(ENOATTR),
    ERROR(ENOTCAPABLE), ERROR(ECAPMODE), ERROR(EINTEGRITY), ERROR(EPWROFF), ERROR(EDEVERR), ERROR(EBADEXEC),
    ERROR(EBADARCH), ERROR(ESHLIBVERS), ERROR(EBADMACHO), ERROR(ENOPOLICY), ERROR(EQFULL), ERROR(EIPSEC),
    ERROR(ENOTOPEN),
};
/* clang-format on */

/* Returns the number of an entry; 0 if the platform does not know it. */
static jint number_of(jint index) {
    return (jint) strtol(errors[index].number, NULL, 10);
}

static jint error_number(JNIEnv *env, jclass class, jstring name) {
    (void) class;
    REQUIRE_OR(-1, name != NULL);
    /* Not a copy that the JVM allocates: a constant that could not be found would be wrong for ever. */
    char chars[32] = {0};
    if ((*env)->GetStringUTFLength(env, name) >= (jsize) sizeof(chars)) return -1;
    (*env)->GetStringUTFRegion(env, name, 0, (*env)->GetStringLength(env, name), chars);
    for (jint i = 0; i < COUNT(errors); i++) {
        if (strcmp(errors[i].name, chars) == 0 && number_of(i) != 0) return number_of(i);
    }
    return -1;
}

static jstring error_name(JNIEnv *env, jclass class, jint number) {
    (void) class;
    for (jint i = 0; i < COUNT(errors); i++) {
        if (number != 0 && number_of(i) == number) return (*env)->NewStringUTF(env, errors[i].name);
    }
    return NULL;
}

#ifdef __linux__
static locale_t c_locale;
#endif

static jint load_c_locale(JNIEnv *env) {
    (void) env;
#ifdef __linux__
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
    if (c_locale == (locale_t) 0) return JNI_ERR;
#endif
    return JNI_OK;
}

static void unload_c_locale(JNIEnv *env) {
    (void) env;
#ifdef __linux__
    freelocale(c_locale);
#endif
}

/* In English, whatever the locale of the process: Java decodes the text as UTF-8, and programs search for it. */
static jstring error_message(JNIEnv *env, jclass class, jint number) {
    (void) class;
#ifdef __linux__
    const char *text = strerror_l(number, c_locale);
#else
    char buffer[256] = "";
    strerror_r(number, buffer, sizeof(buffer));
    const char *text = buffer;
#endif
    return (*env)->NewStringUTF(env, text);
}

static jint page_size(JNIEnv *env, jclass class) {
    (void) env, (void) class;
    return (jint) sysconf(_SC_PAGESIZE);
}

static jint keep_sent_millis(JNIEnv *env, jclass class) {
    (void) env, (void) class;
    return KEEP_SENT_MILLIS;
}

/* The longest path that bind and connect accept, without the trailing NUL. */
static jint max_path(JNIEnv *env, jclass class) {
    (void) env, (void) class;
    return MAX_NAME - 1;
}

/* See bytes_to_barrier in receive_batch.c. */
static jboolean can_find_barrier(JNIEnv *env, jclass class) {
    (void) env, (void) class;
#ifdef __linux__
    return JNI_TRUE;
#else
    return JNI_FALSE;
#endif
}

static const JNINativeMethod methods[] = {
    NATIVE("errorNumber", "(Ljava/lang/String;)I", error_number),
    NATIVE("errorName", "(I)Ljava/lang/String;", error_name),
    NATIVE("errorMessage", "(I)Ljava/lang/String;", error_message),
    NATIVE("pageSize", "()I", page_size),
    NATIVE("maxPath", "()I", max_path),
    NATIVE("keepSentMillis", "()I", keep_sent_millis),
    NATIVE("canFindBarrier", "()Z", can_find_barrier),
};

const native_class nettyunix_platform = {
    .name = "Platform",
    .methods = methods,
    .method_count = COUNT(methods),
    .load = load_c_locale,
    .unload = unload_c_locale,
};
