/*
 * For the fuzzers of the C code, which scripts/fuzz compiles with libFuzzer, and with AddressSanitizer and
 * UndefinedBehaviorSanitizer or with MemorySanitizer. An input is a program: each step takes its numbers from it.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "../../../main/c/nettyunix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

typedef struct {
    const uint8_t *data;
    size_t size;
} input;

/* The next number of the input, below a limit of at most 65536; 0 when the input has ended. */
static inline int take(input *in, int limit) {
    int value = 0;
    for (int bytes = limit <= 256 ? 1 : 2; bytes > 0 && in->size > 0; bytes--, in->size--) {
        value = value << 8 | *in->data++;
    }
    return value % limit;
}

/* Memory of exactly this size, so that a sanitizer sees an access to the byte after it. */
static inline void *allocate(size_t size) {
    void *memory = malloc(size == 0 ? 1 : size);
    CHECK(memory != NULL);
    return memory;
}

/* The native method of a class. */
static inline void *native(const native_class *class, const char *name) {
    for (jint i = 0; i < class->method_count; i++) {
        if (strcmp(class->methods[i].name, name) == 0) return class->methods[i].fnPtr;
    }
    abort();
}

#endif
