/* Process.java: the identity of this process, and its environment. See credentials(7), environ(7). */
#include "nettyunix.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Stores the pid and the effective uid and gid. */
static jint identity(JNIEnv *env, jclass class, jintArray ids) {
    (void) class;
    REQUIRE(has_room(env, ids, 3));
    jint values[] = {getpid(), (jint) geteuid(), (jint) getegid()};
    (*env)->SetIntArrayRegion(env, ids, 0, COUNT(values), values);
    return 0;
}

/* Stores the supplementary groups. Returns their number, or -EINVAL if the array is too small. */
static jint groups(JNIEnv *env, jclass class, jintArray ids) {
    (void) class;
    REQUIRE(has_room(env, ids, 0));
    jint *values = (*env)->GetIntArrayElements(env, ids, NULL);
    if (values == NULL) return -ENOMEM;
    int count = RESULT(getgroups((*env)->GetArrayLength(env, ids), (gid_t *) values));
    (*env)->ReleaseIntArrayElements(env, ids, values, 0);
    return count;
}

/* Returns the limit of descriptors, RLIMIT_NOFILE. */
static jlong descriptor_limit(JNIEnv *env, jclass class) {
    (void) env, (void) class;
    struct rlimit limit;
    int result = RESULT(getrlimit(RLIMIT_NOFILE, &limit));
    if (result < 0) return result;
    return limit.rlim_cur > INT32_MAX ? INT32_MAX : (jlong) limit.rlim_cur;
}

enum { MAX_VARIABLE = 64 };

/* Copies a name that ends with a NUL, without an allocation that may fail: a variable must not seem to be missing. */
static int copy_name(JNIEnv *env, jbyteArray name, char *chars) {
    REQUIRE_OR(-EINVAL, has_room(env, name, 1));
    jsize length = (*env)->GetArrayLength(env, name);
    if (length > MAX_VARIABLE) return -EINVAL;
    (*env)->GetByteArrayRegion(env, name, 0, length, (jbyte *) chars);
    return memchr(chars, 0, (size_t) length) == chars + length - 1 ? 0 : -EINVAL;
}

/* Returns the value of a variable, whose name ends with a NUL; NULL if it is not set. */
static jbyteArray variable(JNIEnv *env, jclass class, jbyteArray name) {
    (void) class;
    char chars[MAX_VARIABLE];
    if (copy_name(env, name, chars) < 0) return NULL;
    const char *value = getenv(chars);
    if (value == NULL) return NULL;
    jsize length = (jsize) strlen(value);
    jbyteArray result = (*env)->NewByteArray(env, length);
    if (result != NULL) (*env)->SetByteArrayRegion(env, result, 0, length, (const jbyte *) value);
    return result;
}

static jint unset(JNIEnv *env, jclass class, jbyteArray name) {
    (void) class;
    char chars[MAX_VARIABLE];
    int error = copy_name(env, name, chars);
    return error < 0 ? error : unsetenv(chars) == -1 ? -errno : 0;
}

static const JNINativeMethod methods[] = {
    NATIVE("identity", "([I)I", identity),
    NATIVE("groups", "([I)I", groups),
    NATIVE("descriptorLimit", "()J", descriptor_limit),
    NATIVE("variable", "([B)[B", variable),
    NATIVE("unset", "([B)I", unset),
};

const native_class nettyunix_process = {
    .name = "Process",
    .methods = methods,
    .method_count = COUNT(methods),
};
