/* The server sends back what it receives; the client has one message in flight per connection. */
#include "peer.h"

/* A spinning server reads without calling epoll_wait; from time to time it checks stdin. */
enum { SPINS = 1 << 14 };

/* Returns false at the end of the stream. */
static bool echo(int epoll, int fd) {
    char bytes[64 * 1024];
    ssize_t length = recv(fd, bytes, sizeof(bytes), 0);
    if (length > 0) {
        if (send(fd, bytes, (size_t) length, MSG_NOSIGNAL) != length) fail("send");
    } else if (length == 0) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
        close(fd);
        return false;
    } else if (errno != EAGAIN) {
        fail("recv");
    }
    return true;
}

void echo_server(void) {
    int listener = listen_or_bind();
    int epoll = new_epoll();
    int connection = -1;
    watch(epoll, STDIN_FILENO, EPOLLIN);
    watch(epoll, listener, EPOLLIN);
    reply("ready");
    for (;;) {
        struct epoll_event events[EVENTS];
        for (int i = 0; self.spin && connection >= 0 && i < SPINS; i++) {
            if (!echo(epoll, connection)) connection = -1;
        }
        int count = epoll_wait(epoll, events, EVENTS, self.spin ? 0 : -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO) {
                server_command();
            } else if (fd == listener) {
                connection = accept_connection(listener);
                if (connection >= 0 && !self.spin) watch(epoll, connection, EPOLLIN);
            } else {
                echo(epoll, fd);
            }
        }
        server_progress();
    }
}

typedef struct {
    int64_t number;         /* of the message in flight */
    size_t missing;         /* what has not come back of it, in bytes */
} progress;

static char *message;
static progress *all;       /* by descriptor */

static void send_next(int fd) {
    all[fd].missing = self.size;
    put_header(message, ++all[fd].number);
    if (send(fd, message, self.size, MSG_NOSIGNAL) != (ssize_t) self.size) fail("send");
}

/* Returns whether the whole message is back. */
static bool receive(int fd) {
    static char bytes[64 * 1024];
    ssize_t length = recv(fd, bytes, sizeof(bytes), 0);
    if (length == 0) fail("the server hung up");
    if (length < 0) {
        if (errno == EAGAIN) return false;
        fail("recv");
    }
    put_header(message, all[fd].number);
    if ((size_t) length > all[fd].missing || (all[fd].missing == self.size && memcmp(bytes, message, HEADER) != 0))
        errors++;
    all[fd].missing -= (size_t) length;
    return all[fd].missing == 0;
}

static int by_size(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *) one, b = *(const uint32_t *) other;
    return (a > b) - (a < b);
}

static void percentiles(uint32_t *latencies, long count, char *out, size_t size) {
    qsort(latencies, (size_t) count, sizeof(*latencies), by_size);
    snprintf(out, size, " p50=%u p99=%u p999=%u", latencies[count / 2], latencies[count * 99 / 100],
            latencies[count * 999 / 1000]);
}

/* With one connection, measures the time of every round trip. */
static void ping_pong(int epoll, int fd) {
    enum { MOST = 1 << 24 };
    uint32_t *latencies = allocate(MOST, sizeof(*latencies));
    for (int64_t duration; (duration = next_round()) > 0;) {
        int64_t start = now(), last = start;
        long count = 0;
        do {
            send_next(fd);
            while (!receive(fd))
                if (!self.spin) await(epoll);
            int64_t time = now();
            latencies[count++] = (uint32_t) (time - last);
            last = time;
        } while (last - start < duration && count < MOST);
        char more[80];
        percentiles(latencies, count, more, sizeof(more));
        round_done(count, last - start, more);
    }
    free(latencies);
}

void echo_client(void) {
    int epoll = new_epoll();
    int *connections = allocate((size_t) self.count, sizeof(int));
    int highest = 0;
    for (int i = 0; i < self.count; i++) {
        connections[i] = connect_to_server();
        watch(epoll, connections[i], EPOLLIN);
        if (connections[i] > highest) highest = connections[i];
    }
    all = allocate((size_t) highest + 1, sizeof(*all));
    message = allocate(1, self.size);
    reply("ready");
    if (self.count == 1) {
        ping_pong(epoll, connections[0]);
        free(connections);
        return;
    }
    for (int64_t duration; (duration = next_round()) > 0;) {
        int64_t start = now(), end = start;
        long count = 0;
        int under_way = self.count;
        for (int i = 0; i < self.count; i++) send_next(connections[i]);
        while (under_way > 0) {
            struct epoll_event events[EVENTS];
            int ready = epoll_wait(epoll, events, EVENTS, -1);
            for (int i = 0; i < ready; i++) {
                int fd = events[i].data.fd;
                if (!receive(fd)) continue;
                count++;
                if (end - start < duration) send_next(fd);
                else under_way--;
            }
            end = now();
        }
        round_done(count, end - start, "");
    }
    free(connections);
}
