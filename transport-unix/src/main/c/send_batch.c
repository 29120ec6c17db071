/* SendBatch.java: sends messages, many per call. See sendmsg(2), sendmmsg(2). */
#include "control_data.h"

#include <string.h>
#include <sys/uio.h>

/*
 * One message of a batch. SendBatch.java writes it at these offsets, in bytes:
 *
 *         +0              +4              +8              +12
 *         +---------------+---------------+---------------+---------------+
 *       0 | first_vector  | vectors       | fd_count      |has_credentials|
 *         +---------------+---------------+---------------+---------------+
 *      16 | sender.pid    | sender.uid    | sender.gid    | name_length   |
 *         +---------------+---------------+---------------+---------------+
 *      32 | name, 112 bytes                                               |
 *         +---------------------------------------------------------------+
 *     144 | fds, 253 numbers, and room for 3 that nobody uses             |
 *         +---------------------------------------------------------------+
 *    1168 | control, 1216 bytes, where C puts the control messages        |
 *         +---------------------------------------------------------------+
 *    2384
 */
typedef struct {
    int32_t first_vector, vectors;      /* its bytes: a slice of the batch's array of iovec */
    int32_t fd_count;
    int32_t has_credentials;
    credentials sender;
    int32_t name_length;                /* -1: to the connected peer */
    char name[112];
    int32_t fds[MAX_FDS + 3];
    /* Makes the size an odd number of cache lines, so that neighbours do not share a cache set. */
    char control[1216];
} outbound_message;

_Static_assert(offsetof(outbound_message, name) == 32 && offsetof(outbound_message, fds) == 144
                && offsetof(outbound_message, control) == 1168 && sizeof(outbound_message) == 2384,
        "as in SendBatch.java");
_Static_assert(sizeof(((outbound_message *) 0)->name) >= MAX_NAME, "room for a name");
_Static_assert(sizeof(((outbound_message *) 0)->control) >= CONTROL_OUT, "room for control data");

enum { BATCH = 64 };

/* Whether a batch filled in by Java stays within its memory. The messages before the first one are not used. */
static int is_valid(jlong messages, jint first, jint count, jlong vectors, jint vector_count) {
    if (first < 0 || first > count || count > BATCH || vector_count < 0 || vector_count > IOV_MAX) return 0;
    if (count > 0 && !is_range(messages, count * (jlong) sizeof(outbound_message))) return 0;
    if (vector_count > 0 && !is_range(vectors, vector_count * (jlong) sizeof(struct iovec))) return 0;
    const outbound_message *message = POINTER(messages);
    for (jint i = first; i < count; i++) {
        if (message[i].vectors < 0 || message[i].first_vector < 0) return 0;
        if (message[i].first_vector > vector_count - message[i].vectors) return 0;
        if (message[i].fd_count < 0 || message[i].fd_count > MAX_FDS) return 0;
        if (message[i].name_length < -1 || message[i].name_length > (int) MAX_NAME) return 0;
    }
    return 1;
}

/* Returns the number of a message's bytes. */
static size_t size(const outbound_message *message, const struct iovec *vectors) {
    size_t size = 0;
    for (int i = 0; i < message->vectors; i++) size += vectors[message->first_vector + i].iov_len;
    return size;
}

/* address has room for one address, and is used if the message names its recipient. Returns an errno. */
static int encode(outbound_message *message, struct iovec *vectors, struct msghdr *header,
        struct sockaddr_un *address) {
    /* Shared by all messages without bytes: qemu's user mode discards a message that has no vector at all. */
    static struct iovec nothing;
    memset(header, 0, sizeof(*header));
    header->msg_iov = message->vectors == 0 ? &nothing : vectors + message->first_vector;
    header->msg_iovlen = (__typeof__(header->msg_iovlen)) (message->vectors == 0 ? 1 : message->vectors);
    if (message->name_length >= 0) {
        header->msg_name = address;
        header->msg_namelen = nettyunix_encode_name(address, message->name, (size_t) message->name_length);
        /* Without a recipient's address, the message would be sent to the peer. */
        if (header->msg_namelen == 0) return ENAMETOOLONG;
    }
    if (message->fd_count == 0 && !message->has_credentials) return 0;
    header->msg_control = message->control;
    return nettyunix_build_ancillary(header, message->fds, message->fd_count,
            message->has_credentials ? &message->sender : NULL);
}

/* Returns the number of bytes sent. */
static jlong send_one(int fd, outbound_message *message, struct iovec *vectors, int flags) {
    struct sockaddr_un address;
    struct msghdr header;
    int error = encode(message, vectors, &header, &address);
    if (error != 0) return -error;
    flags |= MSG_NOSIGNAL | MSG_DONTWAIT;
    int bare = header.msg_iovlen == 1 && header.msg_name == NULL && header.msg_control == NULL;
    jlong result;
    /* send() is cheaper than sendmsg(). */
    if (bare) result = RESULT(send(fd, header.msg_iov->iov_base, header.msg_iov->iov_len, flags));
    else result = RESULT(sendmsg(fd, &header, flags));
#ifdef __APPLE__
    /* With descriptors, EMSGSIZE may only mean that the receiver has no room for them at the moment. */
    if (result == -EMSGSIZE && message->fd_count > 0) {
        size_t all = header.msg_controllen + size(message, vectors);
        int limit = 0;
        socklen_t length = sizeof(limit);
        if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &limit, &length) == 0 && all <= (size_t) limit) return -ENOBUFS;
    }
#endif
    return result;
}

/*
 * Sends the records after the first ones, in order. Returns the number of sent records and, in the upper half, the
 * errno of the next one, or 0.
 */
static jlong send_records(JNIEnv *env, jclass class, jint fd, jlong messages, jint first, jint count, jlong vectors,
        jint vector_count) {
    (void) env, (void) class;
    REQUIRE_OR((jlong) EINVAL << 32, is_valid(messages, first, count, vectors, vector_count));
    outbound_message *message = (outbound_message *) POINTER(messages) + first;
    count -= first;
    int sent = 0;
    int error = 0;
#if HAS_MMSG
    if (count == 1) {
        jlong result = send_one(fd, message, POINTER(vectors), MSG_EOR);
        return result < 0 ? -result << 32 : 1;
    }
    struct sockaddr_un addresses[BATCH];
    struct mmsghdr headers[BATCH];
    int ready = 0;
    while (ready < count && error == 0) {
        error = encode(&message[ready], POINTER(vectors), &headers[ready].msg_hdr, &addresses[ready]);
        if (error == 0) ready++;
    }
    while (sent < ready) {
        int result = (int) RESULT(sendmmsg(fd, headers + sent, (unsigned) (ready - sent),
                MSG_EOR | MSG_NOSIGNAL | MSG_DONTWAIT));
        if (result < 0) return ((jlong) -result << 32) | sent;
        sent += result;
    }
#else
    while (sent < count && error == 0) {
        jlong result = send_one(fd, &message[sent], POINTER(vectors), MSG_EOR);
        if (result < 0) error = (int) -result;
        else sent++;
    }
#endif
    return ((jlong) error << 32) | sent;
}

/* Sends messages on a stream, in order, until one of them is sent only in part. Returns the number of bytes sent. */
static jlong send_stream(JNIEnv *env, jclass class, jint fd, jlong messages, jint count, jlong vectors,
        jint vector_count) {
    (void) env, (void) class;
    REQUIRE(is_valid(messages, 0, count, vectors, vector_count));
    outbound_message *message = POINTER(messages);
    jlong sent = 0;
#if HAS_MMSG
    if (count > 1) {
        struct sockaddr_un address;
        struct mmsghdr headers[BATCH];
        for (int i = 0; i < count; i++) {
            int error = encode(&message[i], POINTER(vectors), &headers[i].msg_hdr, &address);
            if (error != 0) return -error;
        }
        /* The kernel also stops after a message of which it has accepted only a part. */
        int result = (int) RESULT(sendmmsg(fd, headers, (unsigned) count, MSG_NOSIGNAL | MSG_DONTWAIT));
        for (int i = 0; i < result; i++) sent += headers[i].msg_len;
        return result < 0 ? result : sent;
    }
#endif
    for (int i = 0; i < count; i++) {
        jlong result = send_one(fd, &message[i], POINTER(vectors), 0);
        if (result < 0) return sent > 0 ? sent : result;
        sent += result;
        if ((size_t) result < size(&message[i], POINTER(vectors))) break;
    }
    return sent;
}

static const JNINativeMethod methods[] = {
    NATIVE("sendRecords", "(IJIIJI)J", send_records),
    NATIVE("sendStream", "(IJIJI)J", send_stream),
};

const native_class nettyunix_send_batch = {
    .name = "SendBatch",
    .methods = methods,
    .method_count = COUNT(methods),
};
