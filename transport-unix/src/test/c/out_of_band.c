/* The sender of an out-of-band byte, which no channel sends. */
#include <errno.h>
#include <jni.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

JNIEXPORT jint JNICALL Java_io_github_nettyunix_faults_OutOfBand_send(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    return send(fd, "!", 1, MSG_OOB) == 1 ? 0 : -errno;
}

/* How much of what the socket has sent is still in its peer's queue: 0 if nothing is. */
JNIEXPORT jint JNICALL Java_io_github_nettyunix_faults_OutOfBand_unread(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    int unread;
    return ioctl(fd, SIOCOUTQ, &unread) == 0 ? unread : -errno;
}
