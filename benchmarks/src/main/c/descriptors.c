/* The client sends descriptors of /dev/null with every message; the server closes them. */
#include "peer.h"

#include <fcntl.h>

enum { MOST = 253 };

static union {
    char bytes[CMSG_SPACE(MOST * sizeof(int))];
    struct cmsghdr aligned;
} controls[BATCH];
static struct mmsghdr headers[BATCH];
static struct iovec vectors[BATCH];
static char *buffer;

static void prepare(void) {
    size_t control = CMSG_SPACE((size_t) self.count * sizeof(int));
    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec) {buffer + (size_t) i * self.size, self.size};
        headers[i].msg_hdr = (struct msghdr) {
            .msg_iov = &vectors[i],
            .msg_iovlen = 1,
            .msg_control = controls[i].bytes,
            .msg_controllen = control,
        };
    }
}

static void take(struct mmsghdr *message) {
    if (message->msg_len == 0) exit(0);
    struct cmsghdr *control = CMSG_FIRSTHDR(&message->msg_hdr);
    if (!control || control->cmsg_len != CMSG_LEN((size_t) self.count * sizeof(int))
            || message->msg_hdr.msg_flags & MSG_CTRUNC) {
        errors++;
    } else {
        int fds[MOST];
        memcpy(fds, CMSG_DATA(control), (size_t) self.count * sizeof(int));
        for (int i = 0; i < self.count; i++) close(fds[i]);
    }
    check_header(message->msg_hdr.msg_iov->iov_base, message->msg_len);
}

static void receive(int fd) {
    int most = self.batch ? BATCH : 1;
    int count;
    do {
        prepare();
        if (self.batch) {
            count = recvmmsg(fd, headers, (unsigned) most, MSG_CMSG_CLOEXEC, NULL);
        } else {
            ssize_t length = recvmsg(fd, &headers[0].msg_hdr, MSG_CMSG_CLOEXEC);
            headers[0].msg_len = (unsigned) length;
            count = length < 0 ? -1 : 1;
        }
        if (count < 0) {
            if (errno == EAGAIN) return;
            fail("recvmsg");
        }
        for (int i = 0; i < count; i++) take(&headers[i]);
    } while (count == most);
}

void descriptors_server(void) {
    buffer = allocate(BATCH, self.size);
    serve(receive);
}

void descriptors_client(void) {
    int fd = connect_to_server();
    int epoll = new_epoll();
    int batch = self.batch ? BATCH : 1;
    watch(epoll, fd, EPOLLOUT | EPOLLET);
    buffer = allocate(BATCH, self.size);
    prepare();
    int passed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < BATCH; i++) attach(&headers[i].msg_hdr, passed, self.count);
    reply("ready");
    for (int64_t duration; (duration = next_round()) > 0;) {
        int64_t start = now(), end;
        long sent = 0;
        do {
            for (int i = 0; i < BATCH; i += batch) {
                for (int j = 0; j < batch; j++) put_header(vectors[j].iov_base, sent + j);
                send_messages(fd, epoll, headers, batch);
                sent += batch;
            }
            end = now();
        } while (end - start < duration);
        round_done(sent, end - start, "");
    }
}
