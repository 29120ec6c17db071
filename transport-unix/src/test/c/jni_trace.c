/*
 * A JVMTI agent that writes down what our library looks up and registers by name, for NativeImageTest:
 * -agentpath:libjni_trace.so=FILE. Each line is "class NAME", "member CLASS NAME TYPE" or "native CLASS NAME TYPE".
 */
#include <dlfcn.h>
#include <jvmti.h>
#include <stdio.h>
#include <string.h>

static FILE *file;
static jvmtiEnv *tools;
static jniNativeInterface *jvm;

/* Whether the code there is our library's, not the JDK's or Netty's. */
static int is_ours(const void *code) {
    Dl_info info;
    return dladdr(code, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, "libnettyunix_") != NULL;
}

static void write_member(const char *kind, jclass class, const char *name, const char *type) {
    char *signature;
    if ((*tools)->GetClassSignature(tools, class, &signature, NULL) != JVMTI_ERROR_NONE) return;
    /* Lname; */
    fprintf(file, "%s %.*s %s %s\n", kind, (int) strlen(signature) - 2, signature + 1, name, type);
    (*tools)->Deallocate(tools, (unsigned char *) signature);
}

static jclass JNICALL find_class(JNIEnv *env, const char *name) {
    if (is_ours(__builtin_return_address(0))) fprintf(file, "class %s\n", name);
    return jvm->FindClass(env, name);
}

static jfieldID JNICALL get_field(JNIEnv *env, jclass class, const char *name, const char *type) {
    if (is_ours(__builtin_return_address(0))) write_member("member", class, name, type);
    return jvm->GetFieldID(env, class, name, type);
}

static jfieldID JNICALL get_static_field(JNIEnv *env, jclass class, const char *name, const char *type) {
    if (is_ours(__builtin_return_address(0))) write_member("member", class, name, type);
    return jvm->GetStaticFieldID(env, class, name, type);
}

static jmethodID JNICALL get_method(JNIEnv *env, jclass class, const char *name, const char *type) {
    if (is_ours(__builtin_return_address(0))) write_member("member", class, name, type);
    return jvm->GetMethodID(env, class, name, type);
}

static jmethodID JNICALL get_static_method(JNIEnv *env, jclass class, const char *name, const char *type) {
    if (is_ours(__builtin_return_address(0))) write_member("member", class, name, type);
    return jvm->GetStaticMethodID(env, class, name, type);
}

static jint JNICALL register_natives(JNIEnv *env, jclass class, const JNINativeMethod *methods, jint count) {
    int ours = is_ours(__builtin_return_address(0));
    for (jint i = 0; ours && i < count; i++) write_member("native", class, methods[i].name, methods[i].signature);
    return jvm->RegisterNatives(env, class, methods, count);
}

static void JNICALL start(jvmtiEnv *env, JNIEnv *jni, jthread thread) {
    (void) jni, (void) thread;
    jniNativeInterface *table;
    if ((*env)->GetJNIFunctionTable(env, &jvm) != JVMTI_ERROR_NONE) return;
    if ((*env)->GetJNIFunctionTable(env, &table) != JVMTI_ERROR_NONE) return;
    table->FindClass = find_class;
    table->GetFieldID = get_field;
    table->GetStaticFieldID = get_static_field;
    table->GetMethodID = get_method;
    table->GetStaticMethodID = get_static_method;
    table->RegisterNatives = register_natives;
    (*env)->SetJNIFunctionTable(env, table);
}

JNIEXPORT jint JNICALL Agent_OnLoad(JavaVM *vm, char *options, void *reserved) {
    (void) reserved;
    if ((*vm)->GetEnv(vm, (void **) &tools, JVMTI_VERSION_11) != JNI_OK) return JNI_ERR;
    file = fopen(options, "w");
    if (file == NULL) return JNI_ERR;
    jvmtiEventCallbacks callbacks = {.VMInit = start};
    if ((*tools)->SetEventCallbacks(tools, &callbacks, sizeof(callbacks)) != JVMTI_ERROR_NONE) return JNI_ERR;
    return (*tools)->SetEventNotificationMode(tools, JVMTI_ENABLE, JVMTI_EVENT_VM_INIT, NULL) == JVMTI_ERROR_NONE
            ? JNI_OK
            : JNI_ERR;
}

JNIEXPORT void JNICALL Agent_OnUnload(JavaVM *vm) {
    (void) vm;
    if (file != NULL) fclose(file);
}
