/* Names of sockets, from Java to the kernel and back. */
#include "fuzz.h"

/* A Java array, and the functions of a JVM that its users call. */
typedef struct {
    jsize length;
    const uint8_t *bytes;
} array;

static jsize length_of(JNIEnv *env, jarray object) {
    (void) env;
    return ((array *) object)->length;
}

static void copy(JNIEnv *env, jbyteArray object, jsize start, jsize count, jbyte *target) {
    (void) env;
    CHECK(start >= 0 && count >= 0 && count <= ((array *) object)->length - start);
    if (count > 0) memcpy(target, ((array *) object)->bytes + start, (size_t) count);
}

static const struct JNINativeInterface_ functions = {.GetArrayLength = length_of, .GetByteArrayRegion = copy};

/* A name is what it was when it has been an address. */
static void check_encoding(const uint8_t *bytes, size_t size) {
    JNIEnv env = &functions;
    array name = {(jsize) size, bytes};
    struct sockaddr_un *address = allocate(sizeof(*address));
    int is_path = size > 0 && bytes[0] != 0;
    int length = nettyunix_encode_array(&env, address, (jbyteArray) &name);
    if (size > MAX_NAME - (size_t) is_path) {
        CHECK(length == -ENAMETOOLONG || length == -EINVAL);
    } else if (is_path && memchr(bytes, 0, size) != NULL) {
        CHECK(length == -EINVAL);
    } else {
        CHECK(length >= (int) offsetof(struct sockaddr_un, sun_path) && length <= (int) sizeof(*address));
        CHECK(address->sun_family == AF_UNIX);
        CHECK(nettyunix_decode_name(address, (socklen_t) length) == size);
        CHECK(size == 0 || memcmp(address->sun_path, bytes, size) == 0);
    }
    free(address);
}

/* The kernel returns lengths above that of the structure. */
static void check_decoding(const uint8_t *bytes, size_t size, int claimed) {
    struct sockaddr_un *address = allocate(sizeof(*address));
    memset(address, 0, sizeof(*address));
    if (size > sizeof(*address)) size = sizeof(*address);
    if (size > 0) memcpy(address, bytes, size);
    size_t length = nettyunix_decode_name(address, (socklen_t) claimed);
    CHECK(length <= MAX_NAME && (length == 0 || length <= claimed - offsetof(struct sockaddr_un, sun_path)));
    if (length > 0 && address->sun_path[0] != 0) CHECK(memchr(address->sun_path, 0, length) == NULL);
    free(address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    int claimed = take(&in, 256);
    uint8_t *bytes = allocate(in.size);
    if (in.size > 0) memcpy(bytes, in.data, in.size);
    check_encoding(bytes, in.size);
    check_decoding(bytes, in.size, claimed);
    free(bytes);
    return 0;
}
