/*
 * Payloads in shared memory. The client copies each into one of two memfds, alternately, and passes the memfd with a
 * header. The server maps both when they first arrive, and acknowledges what it has looked at.
 */
#include "peer.h"

#include <sys/mman.h>

enum { MEMFDS = 2 };

typedef union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr aligned;
} control;

static char *map(int fd) {
    char *memory = mmap(NULL, self.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (memory == MAP_FAILED) fail("mmap");
    return memory;
}

static void take(int connection) {
    static char *memory[MEMFDS];
    char header[HEADER];
    control with;
    struct iovec vector = {header, sizeof(header)};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &with, .msg_controllen = sizeof(with)};
    ssize_t length = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    if (length == 0) exit(0);
    if (length < 0) {
        if (errno == EAGAIN) return;
        fail("recvmsg");
    }
    int fd;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (!rights || length != HEADER) {
        fprintf(stderr, "no descriptor\n");
        exit(1);
    }
    memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
    char **mapped = &memory[received % MEMFDS];
    if (!*mapped) *mapped = map(fd);
    close(fd);
    if (memcmp(*mapped, header, HEADER) != 0 || memcmp(*mapped + self.size - HEADER, header, HEADER) != 0) errors++;
    check_header(header, self.size);
    if (send(connection, "!", 1, MSG_NOSIGNAL) != 1) fail("send");
}

void shared_server(void) {
    serve(take);
}

static void pass(int connection, int fd, char *header) {
    control with = {0};
    struct iovec vector = {header, HEADER};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &with, .msg_controllen = sizeof(with)};
    attach(&message, fd, 1);
    if (sendmsg(connection, &message, MSG_NOSIGNAL) != HEADER) fail("sendmsg");
}

void shared_client(void) {
    int connection = connect_to_server();
    int epoll = new_epoll();
    watch(epoll, connection, EPOLLIN);
    char *payload = allocate(1, self.size);
    int fds[MEMFDS];
    char *memory[MEMFDS];
    for (int i = 0; i < MEMFDS; i++) {
        fds[i] = memfd_create("payload", MFD_CLOEXEC);
        if (fds[i] < 0 || ftruncate(fds[i], (off_t) self.size) < 0) fail("memfd");
        memory[i] = map(fds[i]);
    }
    reply("ready");
    for (int64_t duration; (duration = next_round()) > 0;) {
        int64_t start = now(), end = start;
        long sent = 0, acknowledged = 0;
        while (acknowledged < sent || end - start < duration) {
            if (sent - acknowledged < MEMFDS && end - start < duration) {
                put_header(payload, sent);
                memcpy(payload + self.size - HEADER, payload, HEADER);
                memcpy(memory[sent % MEMFDS], payload, self.size);
                pass(connection, fds[sent % MEMFDS], payload);
                sent++;
            } else {
                await(epoll);
            }
            char acknowledgements[MEMFDS];
            ssize_t count = recv(connection, acknowledgements, sizeof(acknowledgements), 0);
            if (count > 0) acknowledged += count;
            else if (count == 0 || errno != EAGAIN) fail("recv");
            end = now();
        }
        round_done(sent, end - start, "");
    }
    free(payload);
}
