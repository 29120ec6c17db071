/*
 * A JVMTI agent with which our library gets no copies of strings and of the elements of arrays, as in a process that
 * has no native memory left, for NativeAllocationTest: -agentpath:libfailing_copies.so.
 */
#include <dlfcn.h>
#include <jvmti.h>
#include <string.h>

static jvmtiEnv *tools;
static jniNativeInterface *jvm;

/* Whether the code there is our library's, not the JDK's or Netty's. */
static int is_ours(const void *code) {
    Dl_info info;
    return dladdr(code, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, "libnettyunix_") != NULL;
}

static jbyte *JNICALL bytes(JNIEnv *env, jbyteArray array, jboolean *copy) {
    return is_ours(__builtin_return_address(0)) ? NULL : jvm->GetByteArrayElements(env, array, copy);
}

static jint *JNICALL ints(JNIEnv *env, jintArray array, jboolean *copy) {
    return is_ours(__builtin_return_address(0)) ? NULL : jvm->GetIntArrayElements(env, array, copy);
}

static const char *JNICALL characters(JNIEnv *env, jstring string, jboolean *copy) {
    return is_ours(__builtin_return_address(0)) ? NULL : jvm->GetStringUTFChars(env, string, copy);
}

static void JNICALL start(jvmtiEnv *env, JNIEnv *jni, jthread thread) {
    (void) jni, (void) thread;
    jniNativeInterface *table;
    if ((*env)->GetJNIFunctionTable(env, &jvm) != JVMTI_ERROR_NONE) return;
    if ((*env)->GetJNIFunctionTable(env, &table) != JVMTI_ERROR_NONE) return;
    table->GetByteArrayElements = bytes;
    table->GetIntArrayElements = ints;
    table->GetStringUTFChars = characters;
    (*env)->SetJNIFunctionTable(env, table);
}

JNIEXPORT jint JNICALL Agent_OnLoad(JavaVM *vm, char *options, void *reserved) {
    (void) options, (void) reserved;
    if ((*vm)->GetEnv(vm, (void **) &tools, JVMTI_VERSION_11) != JNI_OK) return JNI_ERR;
    jvmtiEventCallbacks callbacks = {.VMInit = start};
    if ((*tools)->SetEventCallbacks(tools, &callbacks, sizeof(callbacks)) != JVMTI_ERROR_NONE) return JNI_ERR;
    return (*tools)->SetEventNotificationMode(tools, JVMTI_ENABLE, JVMTI_EVENT_VM_INIT, NULL) == JVMTI_ERROR_NONE
            ? JNI_OK
            : JNI_ERR;
}
