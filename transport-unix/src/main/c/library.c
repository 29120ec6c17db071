/*
 * The functions that the JVM calls when it loads and unloads the library. They register the native methods of all
 * classes.
 */
#include "nettyunix.h"

#include <dlfcn.h>
#include <string.h>

/*
 * The package of the Java classes, with slashes. Shading follows Netty's convention: if the classes are relocated below
 * "com.acme_x", this library is renamed from libnettyunix_<arch>.so to libcom_acme_1x_nettyunix_<arch>.so, so that the
 * name of the file contains the prefix ('_' stands for '.', and '_1' for '_').
 */
static char package[512] = "";

static int find_package(void) {
    static const char library[] = "nettyunix_";
    Dl_info info;
    if (dladdr(&package, &info) == 0 || info.dli_fname == NULL) return -1;
    const char *slash = strrchr(info.dli_fname, '/');
    const char *name = slash == NULL ? info.dli_fname : slash + 1;
    if (strncmp(name, "lib", 3) == 0) name += 3;
    const char *end = strstr(name, library);
    if (end == NULL || (size_t) (end - name) > sizeof(package) / 2) return -1;
    size_t length = 0;
    for (const char *c = name; c < end; c++) {
        if (*c != '_') {
            package[length++] = *c;
        } else if (c + 1 < end && c[1] == '1') {
            package[length++] = '_';
            c++;
        } else {
            package[length++] = '/';
        }
    }
    strcpy(package + length, "io/github/nettyunix/internal/socket/");
    return 0;
}

jbyte *nettyunix_string(JNIEnv *env, jbyteArray array, int *error) {
    *error = -EINVAL;
    REQUIRE_OR(NULL, has_room(env, array, 1));
    jsize length = (*env)->GetArrayLength(env, array);
    jbyte *chars = (*env)->GetByteArrayElements(env, array, NULL);
    if (chars == NULL) {
        *error = -ENOMEM;
    } else if (memchr(chars, 0, (size_t) length) != chars + length - 1) {
        (*env)->ReleaseByteArrayElements(env, array, chars, JNI_ABORT);
        chars = NULL;
    }
    return chars;
}

static const native_class *const classes[] = {
    /* Must be first: FindClass initializes the class, and the constants of the other classes come from this one. */
    &nettyunix_platform,
    &nettyunix_child_processes,
    &nettyunix_file_descriptors,
    &nettyunix_memory_file,
    &nettyunix_native_memory,
    &nettyunix_process,
    &nettyunix_receive_batch,
    &nettyunix_send_batch,
    &nettyunix_sent_file,
    &nettyunix_socket_files,
    &nettyunix_unix_socket,
};

static jint register_methods(JNIEnv *env, const native_class *class) {
    char name[sizeof(package) + 64];
    strcpy(name, package);
    strcat(name, class->name);
    jclass found = (*env)->FindClass(env, name);
    if (found == NULL) return JNI_ERR;
    jint result = (*env)->RegisterNatives(env, found, class->methods, class->method_count);
    (*env)->DeleteLocalRef(env, found);
    return result;
}

static void unload(JNIEnv *env, const native_class *class) {
    if (class->unload != NULL) class->unload(env);
}

static jint load(JNIEnv *env, const native_class *class) {
    if (class->load != NULL && class->load(env) != JNI_OK) return JNI_ERR;
    if (register_methods(env, class) == JNI_OK) return JNI_OK;
    unload(env, class);
    return JNI_ERR;
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved) {
    (void) reserved;
    JNIEnv *env;
    if ((*vm)->GetEnv(vm, (void **) &env, JNI_VERSION_1_8) != JNI_OK || find_package() != 0) return JNI_ERR;
    for (jint i = 0; i < COUNT(classes); i++) {
        if (load(env, classes[i]) == JNI_OK) continue;
        while (i-- > 0) unload(env, classes[i]);
        return JNI_ERR;
    }
    return JNI_VERSION_1_8;
}

/* Called when the class loader of the classes has been collected. */
JNIEXPORT void JNICALL JNI_OnUnload(JavaVM *vm, void *reserved) {
    (void) reserved;
    JNIEnv *env;
    if ((*vm)->GetEnv(vm, (void **) &env, JNI_VERSION_1_8) != JNI_OK) return;
    for (jint i = COUNT(classes); i-- > 0;) unload(env, classes[i]);
}
