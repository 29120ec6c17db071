/*
 * Messages through sockets of each type: what one batch has sent, others receive, in order, whatever their sizes, the
 * requested control data and the room for it; no descriptor is left open. MemorySanitizer sees whether the kernel and
 * the reader get only what was set.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

/* The structures that send_batch.c and receive_batch.c draw, as Java sees them. */
typedef struct {
    int32_t first_vector, vectors, fd_count, has_credentials, sender[3], name_length;
    char name[112];
    int32_t fds[256];
    char control[1216];
} outbound_message;

typedef struct {
    int32_t length, flags, fd_count, name_length, sender[3], pidfd;
    char name[112];
    int32_t fds[MAX_FDS], label_length, label_start, unwanted, next, reserved;
    char control[1832];
} inbound_message;

_Static_assert(sizeof(outbound_message) == 2384 && sizeof(inbound_message) == 3008, "as in Java");

enum { STREAM, SEQPACKET, DATAGRAM };
enum { TRUNCATED = 1, CONTROL_TRUNCATED = 2, HAS_CREDENTIALS = 4, END_OF_STREAM = 8 };
enum { RECORDS = 1, NAMES = 4, CONTROL = 8, PIDFD = 16, CREDENTIALS = 64, TOGETHER = 128 };
enum { MORE = 1 << 30, MOST_DESCRIPTORS = 128, MOST_STEPS = 24, MOST_MESSAGES = 8, MOST_BYTES = 5000, QUEUE = 512 };

typedef jlong (*send_records)(JNIEnv *, jclass, jint, jlong, jint, jint, jlong, jint);
typedef jlong (*send_stream)(JNIEnv *, jclass, jint, jlong, jint, jlong, jint);
typedef jint (*receive)(JNIEnv *, jclass, jint, jlong, jint, jlong, jint, jlong, jlong, jlong, jint, jint, jint);
typedef jint (*bytes_to_barrier)(JNIEnv *, jclass, jint, jlong, jint, jint, jint);

#define ADDRESS(pointer) ((jlong) (intptr_t) (pointer))

static int sender, receiver, type, wanted;
/* What was sent and has not been received: the lengths of records, and the number of the next byte. */
static int lengths[QUEUE], first_length, end_length;
static uint8_t next_sent, next_received;
static size_t bytes_queued;
static int descriptors_sent;

static int count_open(void) {
    int count = 0;
    for (int fd = 0; fd < MOST_DESCRIPTORS; fd++) count += fcntl(fd, F_GETFD) != -1;
    return count;
}

static void was_sent(int length) {
    bytes_queued += (size_t) length;
    if (type != STREAM) lengths[end_length++] = length;
}

/* Sends a batch of messages, each of up to two buffers. */
static void send_batch(input *in) {
    int count = 1 + take(in, MOST_MESSAGES), vector_count = 0;
    int first = type == STREAM ? 0 : take(in, 2);
    if (end_length + count > QUEUE) return;
    outbound_message *messages = allocate((size_t) (first + count) * sizeof(*messages));
    struct iovec *vectors = allocate(2 * MOST_MESSAGES * sizeof(*vectors));
    int sizes[MOST_MESSAGES];
    uint8_t number = next_sent;
    for (int i = 0; i < count; i++) {
        outbound_message *message = &messages[first + i];
        message->first_vector = vector_count;
        message->vectors = 1 + take(in, 2);
        message->fd_count = take(in, 4) == 1 ? take(in, 6) : 0;
        descriptors_sent |= message->fd_count > 0;
        message->has_credentials = take(in, 8) == 1;
        message->name_length = -1;
        for (int k = 0; k < message->fd_count; k++) message->fds[k] = k % 2 == 0 ? STDIN_FILENO : sender;
        if (message->has_credentials) {
            message->sender[0] = getpid();
            message->sender[1] = (int32_t) getuid();
            message->sender[2] = (int32_t) getgid();
        }
        sizes[i] = 0;
        for (int k = 0; k < message->vectors; k++) {
            int length = take(in, 4) == 1 ? take(in, MOST_BYTES) : take(in, 16);
            /* A stream has no empty messages. */
            if (type == STREAM && length == 0) length = 1;
            uint8_t *bytes = allocate((size_t) length);
            for (int at = 0; at < length; at++) bytes[at] = number++;
            vectors[vector_count++] = (struct iovec) {bytes, (size_t) length};
            sizes[i] += length;
        }
    }
    if (type == STREAM) {
        jlong sent = ((send_stream) native(&nettyunix_send_batch, "sendStream"))(NULL, NULL, sender, ADDRESS(messages),
                count, ADDRESS(vectors), vector_count);
        CHECK(sent > 0 || sent == -EAGAIN);
        if (sent > 0) {
            was_sent((int) sent);
            next_sent += (uint8_t) sent;
        }
    } else {
        jlong result = ((send_records) native(&nettyunix_send_batch, "sendRecords"))(NULL, NULL, sender,
                ADDRESS(messages), first, first + count, ADDRESS(vectors), vector_count);
        int sent = (int) (result & INT32_MAX);
        CHECK(sent == count ? result >> 32 == 0 : sent < count && result >> 32 == EAGAIN);
        for (int i = 0; i < sent; i++) {
            was_sent(sizes[i]);
            next_sent += (uint8_t) sizes[i];
        }
    }
    for (int i = 0; i < vector_count; i++) free(vectors[i].iov_base);
    free(vectors);
    free(messages);
}

static void close_descriptors(const inbound_message *message) {
    for (int i = 0; i < message->fd_count + message->unwanted; i++) CHECK(close(message->fds[i]) == 0);
    if (message->pidfd != -1) CHECK(close(message->pidfd) == 0);
}

/* Compares received bytes with those that were sent. */
static void check_bytes(const uint8_t *bytes, int length) {
    for (int i = 0; i < length; i++) CHECK(bytes[i] == next_received++);
}

static void check_message(const inbound_message *message, int capacity, int max_fds) {
    CHECK(message->fd_count >= 0 && message->fd_count <= max_fds && message->unwanted >= 0);
    CHECK(message->pidfd == -1 || wanted & PIDFD);
    CHECK(message->label_length == -1 && message->next <= 0);
    if (wanted & NAMES) CHECK(message->name_length == 0);
    if (message->flags & HAS_CREDENTIALS) CHECK(message->sender[0] == getpid());
    CHECK(((message->flags & TRUNCATED) != 0) == (type != STREAM && message->length > capacity));
    if (message->flags & (TRUNCATED | CONTROL_TRUNCATED)) CHECK(message->fd_count == 0 && message->pidfd == -1);
}

/* Receives a batch, of which the first message may have a buffer of its own. */
static void receive_batch(input *in) {
    int count = 1 + take(in, 32);
    int capacity = 1 + (take(in, 4) == 1 ? take(in, 2 * MOST_BYTES) : take(in, 64));
    int own = take(in, 2) == 1 ? take(in, capacity + 1) : 0;
    int max_fds = wanted & CONTROL ? take(in, 3) * 126 : 0;
    if (own > 0) count = 1;
    size_t stride = (size_t) (capacity + take(in, 64)), size = stride * (size_t) (count - 1) + (size_t) capacity;
    inbound_message *messages = allocate((size_t) count * sizeof(*messages));
    uint8_t *buffer = allocate((size_t) own), *data = allocate(size);
    jint received = ((receive) native(&nettyunix_receive_batch, "receive"))(NULL, NULL, receiver, ADDRESS(messages),
            count, ADDRESS(own > 0 ? buffer : NULL), own, ADDRESS(data), (jlong) size, (jlong) stride, capacity,
            max_fds, wanted | (take(in, 2) == 1 ? TOGETHER : 0));
    CHECK(received > 0 || (received == -EAGAIN && (type == STREAM ? bytes_queued == 0 : first_length == end_length)));
    for (int i = 0; i < received; i++) {
        const inbound_message *message = &messages[i];
        int length = message->length, present = length < capacity ? length : capacity;
        check_message(message, capacity, max_fds);
        close_descriptors(message);
        if (type != STREAM) CHECK(first_length < end_length && length == lengths[first_length++]);
        CHECK(type != STREAM || (length > 0 && !(message->flags & END_OF_STREAM)));
        check_bytes(buffer, present < own ? present : own);
        if (present > own) check_bytes(data + (size_t) i * stride, present - own);
        next_received += (uint8_t) (length - present);
        bytes_queued -= (size_t) length;
    }
    free(data);
    free(buffer);
    free(messages);
}

static void look_ahead(input *in) {
    int capacity = 1 + take(in, MOST_BYTES), limit = 1 + take(in, 2 * MOST_BYTES);
    uint8_t *scratch = allocate((size_t) capacity);
    jint result = ((bytes_to_barrier) native(&nettyunix_receive_batch, "bytesToBarrier"))(NULL, NULL, receiver,
            ADDRESS(scratch), capacity, limit, wanted);
    if (bytes_queued == 0) CHECK(result == -EAGAIN);
    else CHECK(result > 0 && (size_t) (result & ~MORE) <= bytes_queued);
    /* A message with descriptors is received as a whole. */
    if (!descriptors_sent) CHECK((result & ~MORE) <= limit);
    free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
    input in = {data, size};
    int before = count_open(), pair[2], on = 1;
    type = take(&in, 3);
    int options = take(&in, 8);
    wanted = (type == STREAM ? 0 : RECORDS) | (options & 1 ? CONTROL : 0);
    if (options & 1 && options & 2) wanted |= CREDENTIALS;
    if (type == DATAGRAM && options & 4) wanted |= NAMES;
    CHECK(socketpair(AF_UNIX, types[type] | SOCK_NONBLOCK, 0, pair) == 0);
    sender = pair[0];
    receiver = pair[1];
    if (wanted & CREDENTIALS) CHECK(setsockopt(receiver, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
    first_length = end_length = descriptors_sent = 0;
    bytes_queued = 0;
    next_sent = next_received = 0;
    for (int step = 0; step < MOST_STEPS && in.size > 0; step++) {
        int what = take(&in, 4);
        if (what == 0 || what == 1) send_batch(&in);
        else if (what == 2) receive_batch(&in);
        else if (type == STREAM) look_ahead(&in);
    }
    close(sender);
    close(receiver);
    CHECK(count_open() == before);
    return 0;
}
