/* ReceiveBatch.java: receives messages, many per call. See recvmsg(2), recvmmsg(2). */
#include "control_data.h"

#include <string.h>
#include <sys/ioctl.h>

#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0
#endif
/* Requests the full length of a record that does not fit. Other kernels report only that it does not fit. */
#ifdef __linux__
#define WHOLE_LENGTH MSG_TRUNC
#else
#define WHOLE_LENGTH 0
#endif

/*
 * One slot of a batch. C writes it, and ReceiveBatch.java reads it at these offsets, in bytes:
 *
 *         +0              +4              +8              +12
 *         +---------------+---------------+---------------+---------------+
 *       0 | length        | flags         | fd_count      | name_length   |
 *         +---------------+---------------+---------------+---------------+
 *      16 | sender.pid    | sender.uid    | sender.gid    | pidfd         |
 *         +---------------+---------------+---------------+---------------+
 *      32 | name, 112 bytes                                               |
 *         +---------------------------------------------------------------+
 *     144 | fds, 253 numbers                              +---------------+
 *         |                                               | label_length  | 1156
 *         +---------------+---------------+---------------+---------------+
 *    1160 | label_start   | unwanted      | next          | reserved      |
 *         +---------------+---------------+---------------+---------------+
 *    1176 | control, 1832 bytes, where the kernel puts control messages   |
 *         +---------------------------------------------------------------+
 *    3008
 */
typedef struct {
    int32_t length;                     /* of the whole record, even if it did not fit */
    int32_t flags;
    int32_t fd_count;
    int32_t name_length;
    credentials sender;
    int32_t pidfd;                      /* -1: none */
    char name[112];
    int32_t fds[MAX_FDS];
    int32_t label_length;               /* -1: none */
    int32_t label_start;                /* in this struct */
    int32_t unwanted;                   /* descriptors after those in fds: close(2) of them may block */
    int32_t next;                       /* errno of the receive after this one, negative; 0: none */
    int32_t reserved;
    /* Makes the size an odd number of cache lines, so that neighbours do not share a cache set. */
    char control[1832];
} inbound_message;

_Static_assert(offsetof(inbound_message, name) == 32 && offsetof(inbound_message, fds) == 144
                && offsetof(inbound_message, label_length) == 1156 && offsetof(inbound_message, control) == 1176
                && sizeof(inbound_message) == 3008,
        "as in ReceiveBatch.java");
_Static_assert(sizeof(((inbound_message *) 0)->name) >= MAX_NAME, "room for a name");
_Static_assert(sizeof(((inbound_message *) 0)->control)
                >= CMSG_SPACE(sizeof(int) * MAX_FDS) + CREDENTIALS_SPACE + MARK_SPACE + PIDFD_SPACE + LABEL_SPACE,
        "room for control data");

/* inbound_message.flags */
enum { TRUNCATED = 1, CONTROL_TRUNCATED = 2, HAS_CREDENTIALS = 4, END_OF_STREAM = 8, SAME_NAME = 16 };
/* What the caller requests. */
enum {
    RECORDS = 1,
    HAS_EOF = 2,
    NAMES = 4,
    CONTROL = 8,
    PIDFD = 16,
    LABEL = 32,
    CREDENTIALS = 64,
    TOGETHER = 128,
    ALL_WANTED = 255,
};
enum { BATCH = 32 };
/*
 * Unless the caller wants the messages TOGETHER, a batch ends once they have brought this many descriptors: it can hold
 * one less than that, and those of one more message, before Java sees any of them.
 */
enum { ENOUGH_FDS = 8 };

/*
 * The size of the control buffer. The kernel installs as many descriptors as it has room for. If none are wanted, there
 * is room only for what is wanted, so that the kernel discards them. A pidfd comes after the message's descriptors, so
 * it needs room for all that a sender may have attached; these are then closed.
 */
static size_t control_room(int max_fds, int wanted) {
    if (max_fds == 0 && (wanted & (PIDFD | LABEL)) == 0) {
        size_t credentials_room = wanted & CREDENTIALS ? CREDENTIALS_SPACE : 0;
        size_t mark_room = wanted & HAS_EOF ? MARK_SPACE : 0;
        return credentials_room + mark_room;
    }
    size_t room = CREDENTIALS_SPACE + MARK_SPACE + PIDFD_SPACE;
    int fds = max_fds == 0 && wanted & PIDFD ? MAX_FDS : max_fds;
    if (fds > 0) room += CMSG_SPACE(sizeof(int) * (size_t) fds);
    if (max_fds > 0 || wanted & LABEL) room += LABEL_SPACE;
    return room;
}

static void prepare(inbound_message *message, struct msghdr *header, struct iovec *vector, int vectors,
        struct sockaddr_un *address, int max_fds, int wanted) {
    memset(header, 0, sizeof(*header));
    header->msg_iov = vector;
    header->msg_iovlen = (__typeof__(header->msg_iovlen)) vectors;
    if (wanted & NAMES) {
        header->msg_name = address;
        header->msg_namelen = sizeof(*address);
    }
    if (wanted & CONTROL) {
        header->msg_control = message->control;
        header->msg_controllen = (__typeof__(header->msg_controllen)) control_room(max_fds, wanted);
    }
}

static void close_pidfd(inbound_message *message) {
    if (message->pidfd != -1) nettyunix_close_all(&message->pidfd, 1);
    message->pidfd = -1;
}

/* Marks a message whose sender has the same name as that of the previous one. */
static void compare_names(inbound_message *message) {
    const inbound_message *before = message - 1;
    if (before->name_length == message->name_length
            && memcmp(before->name, message->name, (size_t) message->name_length) == 0) {
        message->flags |= SAME_NAME;
    }
}

static void decode_control(inbound_message *message, struct msghdr *header, int max_fds, int wanted) {
    size_t room = wanted & LABEL ? control_room(max_fds, wanted) : 0;
    control_data found = nettyunix_parse_ancillary(header, room, message->fds, max_fds, &message->sender);
    message->fd_count = found.fd_count;
    message->unwanted = found.unwanted;
    message->pidfd = found.pidfd;
    if (!(wanted & PIDFD)) close_pidfd(message);
    if (wanted & LABEL && found.label_length >= 0) {
        message->label_length = found.label_length;
        message->label_start = (int32_t) (found.label - (const char *) message);
    }
    if (found.has_credentials) message->flags |= HAS_CREDENTIALS;
    /* Unrequested control data has taken up the room of the credentials. */
    int unnamed = wanted & CREDENTIALS && !found.has_credentials && header->msg_flags & MSG_CTRUNC;
    if (unnamed) close_pidfd(message);
    if (found.truncated || unnamed) message->flags |= CONTROL_TRUNCATED;
}

/* Returns false at the end of the stream. */
static int decode(inbound_message *message, struct msghdr *header, int length, int capacity, int max_fds, int wanted) {
    /* Whether the kernel attached something to the message: see mark_records in unix_socket.c. */
    int marked = (header->msg_flags & RECORD_MARKS) != 0 || header->msg_controllen > 0;
    if (WHOLE_LENGTH == 0 && header->msg_flags & MSG_TRUNC && length <= capacity) length = capacity + 1;
    message->length = length;
    message->flags = 0;
    message->fd_count = 0;
    message->unwanted = 0;
    message->name_length = 0;
    message->pidfd = -1;
    message->label_length = -1;
    message->next = 0;
    if (wanted & NAMES && header->msg_namelen > 0) {
        const struct sockaddr_un *address = header->msg_name;
        size_t size = nettyunix_decode_name(address, header->msg_namelen);
        memcpy(message->name, address->sun_path, size);
        message->name_length = (int32_t) size;
    }
    if (wanted & CONTROL) decode_control(message, header, max_fds, wanted);
    if (wanted & RECORDS && length > capacity) {
        message->flags |= TRUNCATED;
        message->unwanted += message->fd_count;
        message->fd_count = 0;
        close_pidfd(message);
    }
    if (message->unwanted > 0) {
        message->unwanted = nettyunix_close_harmless(message->fds + message->fd_count, message->unwanted);
    }
    if (length == 0 && ((wanted & RECORDS) == 0 || (wanted & HAS_EOF && !marked))) {
        message->flags |= END_OF_STREAM;
        return 0;
    }
    return 1;
}

#if HAS_MMSG
/* Whether a message may bring descriptors that Java sees, or that must be closed here. */
static int may_bring_descriptors(int max_fds, int wanted) {
    return wanted & CONTROL && (max_fds > 0 || wanted & (PIDFD | LABEL));
}

/*
 * One system call for all messages costs a third less than one for each, but it cannot stop once there are enough
 * descriptors.
 */
static jint receive_many(int fd, inbound_message *message, int count, char *data, jlong stride, int capacity, int flags,
        int max_fds, int wanted) {
    struct sockaddr_un addresses[BATCH];
    struct mmsghdr headers[BATCH];
    struct iovec vectors[BATCH];
    for (int i = 0; i < count; i++) {
        vectors[i] = (struct iovec) {data + i * stride, (size_t) capacity};
        prepare(&message[i], &headers[i].msg_hdr, &vectors[i], 1, &addresses[i], max_fds, wanted);
    }
    int result = RESULT(recvmmsg(fd, headers, (unsigned) count, flags, NULL));
    int ended = 0;
    int last = 0;
    for (int i = 0; i < result; i++) {
        if (decode(&message[i], &headers[i].msg_hdr, (int) headers[i].msg_len, capacity, max_fds, wanted)) last = i;
        else ended++;
        if (i > 0 && wanted & NAMES) compare_names(&message[i]);
    }
    if (result > 0 && result < count) message[result - 1].next = -EAGAIN;
    if (ended == 0) return result;
    /* A zero-length message that a record follows was an empty record, although it had lost its mark. */
    for (int i = 0; i < last; i++) message[i].flags &= ~END_OF_STREAM;
    return message[last].flags & END_OF_STREAM ? last + 1 : last + 2;
}
#endif

/*
 * Receives up to count messages. Returns their number, including the end of the stream as the last one. Unless the
 * caller wants the messages TOGETHER, messages that may bring descriptors are received one by one, until they have
 * brought ENOUGH_FDS; the next ones stay in the kernel until Java has seen these. The bytes of message i are stored at
 * data + i * stride, in data's size bytes. If length > 0, there is only one message, whose first length bytes are
 * stored in buffer. A message has at most capacity bytes.
 */
static jint receive(JNIEnv *env, jclass class, jint fd, jlong messages, jint count, jlong buffer, jint length,
        jlong data, jlong size, jlong stride, jint capacity, jint max_fds, jint wanted) {
    (void) env, (void) class;
    REQUIRE(count >= 1 && count <= BATCH && is_range(messages, count * (jlong) sizeof(inbound_message)));
    REQUIRE(capacity >= 1 && length >= 0 && length <= capacity && max_fds >= 0 && max_fds <= MAX_FDS
            && (wanted & ~ALL_WANTED) == 0);
    REQUIRE(length == 0 || (count == 1 && is_range(buffer, length)));
    REQUIRE(length == capacity || (is_range(data, size) && capacity <= size));
    REQUIRE(count == 1 || (stride >= capacity && stride <= (size - capacity) / (count - 1)));
    inbound_message *message = POINTER(messages);
    /* Other holders of the socket may have cleared O_NONBLOCK. On a stream, MSG_TRUNC would discard the bytes. */
    int flags = MSG_CMSG_CLOEXEC | MSG_DONTWAIT | (wanted & RECORDS ? WHOLE_LENGTH : 0);
#if HAS_MMSG
    if (count > 1 && (wanted & TOGETHER || !may_bring_descriptors(max_fds, wanted))) {
        return receive_many(fd, message, count, POINTER(data), stride, capacity, flags, max_fds, wanted);
    }
#endif
    int received = 0;
    int fds = 0;
    int more;
    do {
        struct iovec vectors[2] = {{POINTER(buffer), (size_t) length},
            {(char *) POINTER(data) + received * stride, (size_t) (capacity - length)}};
        int skipped = length > 0 ? 0 : 1;
        struct sockaddr_un address;
        struct msghdr header;
        prepare(message, &header, vectors + skipped, capacity > length ? 2 - skipped : 1, &address, max_fds, wanted);
        ssize_t result = RESULT(recvmsg(fd, &header, flags));
        if (result < 0) {
            if (received == 0) return (jint) result;
            /* The kernel reports an error only once. */
            message[-1].next = (int32_t) result;
            return received;
        }
        more = decode(message, &header, (int) result, capacity, max_fds, wanted);
        fds += message->fd_count + (message->pidfd != -1);
        if (received > 0 && wanted & NAMES) compare_names(message);
        message++;
    } while (++received < count && more && fds < ENOUGH_FDS);
    return received;
}

#ifdef __linux__
/* Returns a negative errno on failure. Each peek has a new header, since the kernel writes to it. */
static int peek_stream(int fd, struct iovec *vectors, int count, int wanted, int *cut) {
    char control[CREDENTIALS_SPACE];
    struct msghdr header = {.msg_iov = vectors, .msg_iovlen = (size_t) count};
    if (wanted & CREDENTIALS) {
        header.msg_control = control;
        header.msg_controllen = sizeof(control);
    }
    int result = (int) RESULT(recvmsg(fd, &header, MSG_PEEK | MSG_DONTWAIT));
    *cut = (header.msg_flags & MSG_CTRUNC) != 0;
    return result;
}
#endif

/* Added to the result of bytes_to_barrier where more is known to follow. */
#define MORE (1 << 30)

/*
 * How many bytes of a stream a read may take without joining a message with descriptors to the bytes sent before it:
 * those before that message, at most limit, or the whole message if it comes next. 0 at the end of the stream.
 * Descriptors are a barrier for reads, see unix(7).
 *
 * A peek without room for descriptors sets MSG_CTRUNC if there are any in the queue, and ends behind the first message
 * that has some. It does not report where that message begins, unless it fails there: with no room for the last byte of
 * the message, it returns what precedes the message. On a kernel that does otherwise, descriptors arrive with an
 * earlier byte of the read.
 *
 * The bytes are counted by copying them. FIONREAD would be cheaper, but since Linux 6.17 it counts each out-of-band
 * byte that a read has discarded for ever: a read of that many bytes might reach a message that has come meanwhile.
 */
static jint bytes_to_barrier(JNIEnv *env, jclass class, jint fd, jlong scratch, jint capacity, jint limit,
        jint wanted) {
    (void) env, (void) class;
    REQUIRE(is_range(scratch, capacity) && limit >= 1 && limit < MORE && (wanted & ~ALL_WANTED) == 0);
#ifdef __linux__
    int look = limit < capacity ? limit : capacity;
    /* Nothing can be copied to NULL. */
    struct iovec vectors[] = {{POINTER(scratch), (size_t) look}, {NULL, 1}};
    int cut;
    int end = peek_stream(fd, vectors, 1, wanted, &cut);
    if (end == -EAGAIN) {
        /* FIONREAD counts an out-of-band byte, which no peek sees and a read discards. */
        int queued;
        return RETRY(ioctl(fd, FIONREAD, &queued)) == 0 && queued == 0 ? end : 1;
    }
    if (end < 0) return end;
    if (!cut) return end == look ? end | MORE : end;
    if (end == look) {
        vectors[0].iov_len = (size_t) capacity;
        end = peek_stream(fd, vectors, 1, wanted, &cut);
    }
    /* A message of a single byte is not preceded by any. */
    if (end <= 1) return end;
    vectors[0].iov_len = (size_t) end - 1;
    int start = peek_stream(fd, vectors, 2, wanted, &cut);
    if (start > 0 && start < end) return (start < limit ? start : limit) | MORE;
    return end;
#else
    (void) fd, (void) scratch, (void) capacity;
    return limit;
#endif
}

static const JNINativeMethod methods[] = {
    NATIVE("receive", "(IJIJIJJJIII)I", receive),
    NATIVE("bytesToBarrier", "(IJIII)I", bytes_to_barrier),
};

const native_class nettyunix_receive_batch = {
    .name = "ReceiveBatch",
    .methods = methods,
    .method_count = COUNT(methods),
};
