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

/* Returns the value of a variable, whose name ends with a NUL; NULL if it is not set. */
static jbyteArray variable(JNIEnv *env, jclass class, jbyteArray name) {
    (void) class;
    int error;
    jbyte *chars = nettyunix_string(env, name, &error);
    if (chars == NULL) return NULL;
    const char *value = getenv((const char *) chars);
    (*env)->ReleaseByteArrayElements(env, name, chars, JNI_ABORT);
    if (value == NULL) return NULL;
    jsize length = (jsize) strlen(value);
    jbyteArray result = (*env)->NewByteArray(env, length);
    if (result != NULL) (*env)->SetByteArrayRegion(env, result, 0, length, (const jbyte *) value);
    return result;
}

static jint unset(JNIEnv *env, jclass class, jbyteArray name) {
    (void) class;
    int result;
    jbyte *chars = nettyunix_string(env, name, &result);
    if (chars == NULL) return result;
    result = unsetenv((const char *) chars) == -1 ? -errno : 0;
    (*env)->ReleaseByteArrayElements(env, name, chars, JNI_ABORT);
    return result;
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
