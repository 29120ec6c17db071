/* The client sends as fast as the server reads; the server checks every message. */
#include "peer.h"

#define READ_SIZE (256 * 1024)

static char *buffer;

/* Splits what was read from a stream into messages. */
static void take(const char *bytes, size_t length) {
    static char header[HEADER];
    static size_t offset;                   /* in the current message */
    while (length > 0) {
        if (offset == 0 && length >= self.size) {
            check_header(bytes, self.size);
            bytes += self.size;
            length -= self.size;
            continue;
        }
        size_t part = offset < HEADER ? HEADER - offset : self.size - offset;
        if (part > length) part = length;
        if (offset < HEADER) memcpy(header + offset, bytes, part);
        offset += part;
        bytes += part;
        length -= part;
        if (offset == self.size) {
            check_header(header, self.size);
            offset = 0;
        }
    }
}

static void receive_stream(int fd) {
    for (;;) {
        ssize_t length = recv(fd, buffer, READ_SIZE, 0);
        if (length == 0) exit(0);
        if (length < 0) {
            if (errno == EAGAIN) return;
            fail("recv");
        }
        take(buffer, (size_t) length);
        if (length < READ_SIZE) return;
    }
}

static void receive_records(int fd) {
    for (;;) {
        ssize_t length = recv(fd, buffer, self.size, MSG_TRUNC);
        if (length == 0) exit(0);
        if (length < 0) {
            if (errno == EAGAIN) return;
            fail("recv");
        }
        check_header(buffer, (size_t) length);
    }
}

static struct mmsghdr headers[BATCH];
static struct iovec vectors[BATCH];

static void prepare_batch(void) {
    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec) {buffer + (size_t) i * self.size, self.size};
        headers[i].msg_hdr = (struct msghdr) {.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
}

static void receive_batches(int fd) {
    int count;
    do {
        count = recvmmsg(fd, headers, BATCH, MSG_TRUNC, NULL);
        if (count < 0) {
            if (errno == EAGAIN) return;
            fail("recvmmsg");
        }
        for (int i = 0; i < count; i++) {
            if (headers[i].msg_len == 0) exit(0);
            check_header(vectors[i].iov_base, headers[i].msg_len);
        }
    } while (count == BATCH);
}

void one_way_server(void) {
    buffer = allocate(1, self.type == SOCK_STREAM ? READ_SIZE : self.size * BATCH);
    prepare_batch();
    serve(self.type == SOCK_STREAM ? receive_stream : self.batch ? receive_batches : receive_records);
}

static void send_all(int fd, int epoll, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes += sent;
            length -= (size_t) sent;
        } else if (errno == EAGAIN) {
            await(epoll);
        } else {
            fail("send");
        }
    }
}

static void send_batch(int fd, int epoll, int64_t first) {
    for (int i = 0; i < BATCH; i++) put_header(buffer + (size_t) i * self.size, first + i);
    if (self.type == SOCK_STREAM) {
        send_all(fd, epoll, buffer, BATCH * self.size);
        return;
    }
    send_messages(fd, epoll, headers, BATCH);
}

void one_way_client(void) {
    int fd = connect_to_server();
    int epoll = new_epoll();
    watch(epoll, fd, EPOLLOUT | EPOLLET);
    buffer = allocate(self.batch ? BATCH : 1, self.size);
    prepare_batch();
    reply("ready");
    for (int64_t duration; (duration = next_round()) > 0;) {
        int64_t start = now();
        long sent = 0;
        int64_t end;
        do {
            if (self.batch) {
                send_batch(fd, epoll, sent);
                sent += BATCH;
            } else {
                for (int i = 0; i < (self.size > 4096 ? 1 : BATCH); i++) {
                    put_header(buffer, sent++);
                    send_all(fd, epoll, buffer, self.size);
                }
            }
            end = now();
        } while (end - start < duration);
        round_done(sent, end - start, "");
    }
}
