/*
 * Loads a native library with the libc that runs this program, and calls some of its functions, without a JVM: those
 * that depend on the libc. What the library needs of a JVM is at the start of this file. Usage: selftest LIBRARY
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <jni.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The native methods that the library has registered. */
static struct {
    const char *class;
    JNINativeMethod method;
} natives[256];
static int native_count;

/* A Java array. A string is only its characters, and a class its name. */
typedef struct {
    jsize length;
    void *elements;
} array;

static jclass find_class(JNIEnv *env, const char *name) {
    (void) env;
    return (jclass) strdup(name);
}

static jfieldID get_field(JNIEnv *env, jclass class, const char *name, const char *type) {
    (void) env, (void) class, (void) type;
    return (jfieldID) strdup(name);
}

static jint register_natives(JNIEnv *env, jclass class, const JNINativeMethod *methods, jint count) {
    (void) env;
    for (jint i = 0; i < count; i++) {
        natives[native_count].class = strrchr((const char *) class, '/') + 1;
        natives[native_count++].method = methods[i];
    }
    return JNI_OK;
}

static void ignore(JNIEnv *env, jobject object) {
    (void) env, (void) object;
}

static jsize length_of(JNIEnv *env, jarray object) {
    (void) env;
    return ((array *) object)->length;
}

static void set_ints(JNIEnv *env, jintArray object, jsize start, jsize count, const jint *values) {
    (void) env;
    memcpy((jint *) ((array *) object)->elements + start, values, (size_t) count * sizeof(jint));
}

static void set_longs(JNIEnv *env, jlongArray object, jsize start, jsize count, const jlong *values) {
    (void) env;
    memcpy((jlong *) ((array *) object)->elements + start, values, (size_t) count * sizeof(jlong));
}

static const char *characters(JNIEnv *env, jstring string, jboolean *copied) {
    (void) env, (void) copied;
    return (const char *) string;
}

static void release_characters(JNIEnv *env, jstring string, const char *released) {
    (void) env, (void) string, (void) released;
}

static jstring new_string(JNIEnv *env, const char *text) {
    (void) env;
    return (jstring) strdup(text);
}

static const struct JNINativeInterface_ functions = {
    .FindClass = find_class,
    .GetFieldID = get_field,
    .RegisterNatives = register_natives,
    .DeleteLocalRef = ignore,
    .GetArrayLength = length_of,
    .SetIntArrayRegion = set_ints,
    .SetLongArrayRegion = set_longs,
    .GetStringUTFChars = characters,
    .ReleaseStringUTFChars = release_characters,
    .NewStringUTF = new_string,
};
static JNIEnv env = &functions;

static jint get_env(JavaVM *vm, void **result, jint version) {
    (void) vm, (void) version;
    *result = &env;
    return JNI_OK;
}

static const struct JNIInvokeInterface_ invocation = {.GetEnv = get_env};
static JavaVM vm = &invocation;

static void *native(const char *class, const char *name) {
    for (int i = 0; i < native_count; i++) {
        if (strcmp(natives[i].class, class) == 0 && strcmp(natives[i].method.name, name) == 0) {
            return natives[i].method.fnPtr;
        }
    }
    fprintf(stderr, "no %s.%s\n", class, name);
    exit(1);
}

/* Calls a native method with a result of this type. The types of the arguments must be its own. */
#define CALL(type, class, name, types, ...) (((type(*) types) native(class, name))(&env, NULL, ##__VA_ARGS__))

static int failures;

static void check(int condition, const char *what) {
    printf("%-6s %s\n", condition ? "ok" : "FAILED", what);
    if (!condition) failures++;
}

/* A child has the descriptors that it was given and no other. */
static void check_spawn(void) {
    struct {
        int32_t source, number;
        char *tables[5];
        char strings[96];
    } memory = {.source = 100, .number = 7};
    static const char strings[] = "sh\0-c\0test -e /proc/self/fd/7 && ! test -e /proc/self/fd/50 || exit 3";
    memcpy(memory.strings, strings, sizeof(strings));
    int file = open("/dev/null", O_RDONLY);
    dup2(file, 50);
    dup2(file, memory.source);
    jlong size = (jlong) offsetof(__typeof__(memory), strings) + (jlong) sizeof(strings);
    jint pid = CALL(jint, "ChildProcesses", "spawn", (JNIEnv *, jclass, jlong, jlong, jint, jint, jint),
            (jlong) (intptr_t) &memory, size, 1, 3, -1);
    check(pid > 0, "a program is started");
    check(CALL(jint, "ChildProcesses", "awaitEnd", (JNIEnv *, jclass, jint), pid) == 0, "its end is awaited");
    check(CALL(jint, "ChildProcesses", "reap", (JNIEnv *, jclass, jint), pid) == 0, "it has no other descriptors");
}

static void check_sockets(void) {
    for (jint type = 0; type < 3; type++) {
        jint fds[2] = {-1, -1}, owner[3] = {0};
        array pair = {2, fds}, credentials = {3, owner};
        char sent[] = "message", received[16] = "";
        check(CALL(jint, "UnixSocket", "newSocketPair", (JNIEnv *, jclass, jint, jintArray), type, (jintArray) &pair)
                        == 0,
                "a socket pair is created");
        CALL(jint, "UnixSocket", "sendBytes", (JNIEnv *, jclass, jint, jlong, jint), fds[0], (jlong) (intptr_t) sent,
                (jint) sizeof(sent));
        jint length = CALL(jint, "UnixSocket", "receive", (JNIEnv *, jclass, jint, jlong, jint), fds[1],
                (jlong) (intptr_t) received, (jint) sizeof(received));
        check(length == sizeof(sent) && strcmp(sent, received) == 0, "a message is sent and received");
        CALL(jint, "UnixSocket", "peerCredentials", (JNIEnv *, jclass, jint, jintArray), fds[1],
                (jintArray) &credentials);
        check(owner[0] == getpid() || owner[1] == getpid() || owner[2] == getpid(), "the peer's pid is reported");
    }
}

static void check_files(void) {
    enum { REGULAR, DIRECTORY, MEMORY = 4 };
    jlong bytes = -1;
    array size = {1, &bytes};
    jint memory = CALL(jint, "FileDescriptors", "memoryFile", (JNIEnv *, jclass, jstring), (jstring) "memory");
    check(CALL(jint, "FileDescriptors", "setSize", (JNIEnv *, jclass, jint, jlong), memory, 5) == 0,
            "a memory file is created");
    check(CALL(jint, "FileDescriptors", "status", (JNIEnv *, jclass, jint, jlongArray), memory, (jlongArray) &size)
                            == MEMORY
                    && bytes == 5,
            "its type and size are reported");
    jint folder = open("/", O_RDONLY);
    check(CALL(jint, "FileDescriptors", "status", (JNIEnv *, jclass, jint, jlongArray), folder, (jlongArray) &size)
                    == DIRECTORY,
            "the type of a folder is reported");
    jstring text = CALL(jstring, "Platform", "errorMessage", (JNIEnv *, jclass, jint), EACCES);
    check(strcmp((const char *) text, "Permission denied") == 0, "errors have messages");
}

int main(int count, char **arguments) {
    void *library = count == 2 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    if (library == NULL) {
        fprintf(stderr, "%s\n", count == 2 ? dlerror() : "Usage: selftest LIBRARY");
        return 2;
    }
    jint (*load)(JavaVM *, void *) = (jint(*)(JavaVM *, void *)) dlsym(library, "JNI_OnLoad");
    check(load != NULL && load(&vm, NULL) == JNI_VERSION_1_8, "the library loads");
    if (failures == 0) {
        check_sockets();
        check_files();
        check_spawn();
    }
    return failures == 0 ? 0 : 1;
}
