/* SendBatch.java: messages on their way out, many in one call. See sendmsg(2), sendmmsg(2). */
#include "control_data.h"

#include <string.h>

/* SendBatch.java fills it in; it knows these offsets. */
typedef struct {
    int32_t first_vector, vectors;      /* its bytes: a slice of the batch's array of iovec */
    int32_t fd_count;
    int32_t has_credentials;
    credentials sender;
    int32_t name_length;                /* -1: to the peer that the socket is connected to */
    char name[112];
    int32_t fds[MAX_FDS + 3];
    char control[1216];                 /* an odd number of cache lines in all: neighbours do not share a cache set */
} outgoing;

_Static_assert(offsetof(outgoing, name) == 32 && offsetof(outgoing, fds) == 144 && sizeof(outgoing) == 2384, "as in SendBatch.java");
_Static_assert(sizeof(((outgoing *) 0)->name) >= MAX_NAME && sizeof(((outgoing *) 0)->control) >= CONTROL_OUT, "room");

enum { BATCH = 64 };

/* address: room for one, used if the message names its recipient. */
static void encode(outgoing *message, struct iovec *vectors, struct msghdr *header, struct sockaddr_un *address) {
    memset(header, 0, sizeof(*header));
    header->msg_iov = vectors + message->first_vector;
    header->msg_iovlen = (__typeof__(header->msg_iovlen)) message->vectors;
    if (message->name_length >= 0) {
        header->msg_name = address;
        header->msg_namelen = nettyunix_encode_name(address, message->name, (size_t) message->name_length);
    }
    if (message->fd_count > 0 || message->has_credentials) {
        header->msg_control = message->control;
        nettyunix_attach(header, message->fds, message->fd_count, message->has_credentials ? &message->sender : NULL);
    }
}

/* Sends records in order; answers how many went out, in the upper half the errno that stopped the next one, or 0. */
static jlong send_records(JNIEnv *env, jclass class, jint fd, jlong messages, jint count, jlong vectors) {
    (void) env, (void) class;
    outgoing *message = POINTER(messages);
    struct sockaddr_un addresses[BATCH];
    int sent = 0;
    int error = 0;
#if HAS_MMSG
    struct mmsghdr headers[BATCH];
    for (int i = 0; i < count; i++) encode(&message[i], POINTER(vectors), &headers[i].msg_hdr, &addresses[i]);
    while (sent < count && error == 0) {
        int result = (int) RESULT(sendmmsg(fd, headers + sent, (unsigned) (count - sent), MSG_EOR | MSG_NOSIGNAL));
        if (result < 0) error = -result; else sent += result;
    }
#else
    for (; sent < count && error == 0; sent++) {
        struct msghdr header;
        encode(&message[sent], POINTER(vectors), &header, &addresses[0]);
        ssize_t result = RESULT(sendmsg(fd, &header, MSG_EOR | MSG_NOSIGNAL));
        if (result < 0) { error = (int) -result; break; }
    }
#endif
    return ((jlong) error << 32) | sent;
}

/* Sends one message on a stream; answers how many of its bytes went out. */
static jlong send_stream(JNIEnv *env, jclass class, jint fd, jlong message, jlong vectors) {
    (void) env, (void) class;
    struct msghdr header;
    encode(POINTER(message), POINTER(vectors), &header, NULL);
    return RESULT(sendmsg(fd, &header, MSG_NOSIGNAL));
}

jint nettyunix_send_batch_onload(JNIEnv *env) {
    static const JNINativeMethod methods[] = {
        NATIVE("sendRecords", "(IJIJ)J", send_records),
        NATIVE("sendStream", "(IJJ)J", send_stream),
    };
    return nettyunix_register(env, "SendBatch", methods, COUNT(methods));
}
