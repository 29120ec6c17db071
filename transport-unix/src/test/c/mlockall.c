/* Makes the process that loads this lock all memory that it maps from then on. See mlockall(2). */
#include <jni.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved) {
    (void) vm, (void) reserved;
    /* By number: the function of AddressSanitizer's runtime does nothing. */
    return syscall(SYS_mlockall, MCL_FUTURE) == 0 ? JNI_VERSION_1_8 : JNI_ERR;
}
