/* One side of a workload: peer plain|batch server|client OPERATION TYPE SIZE COUNT WAITING FOLDER */
#include "peer.h"

#include <endian.h>
#include <fcntl.h>

settings self;
long received, errors, expected = -1;

_Noreturn void fail(const char *what) {
    perror(what);
    exit(1);
}

void *allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (memory == NULL) fail("calloc");
    return memory;
}

int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

void reply(const char *line) {
    puts(line);
    fflush(stdout);
}

int new_socket(void) {
    int fd = socket(AF_UNIX, self.type | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    return fd;
}

static struct sockaddr_un address(const char *name) {
    struct sockaddr_un result = {.sun_family = AF_UNIX};
    snprintf(result.sun_path, sizeof(result.sun_path), "%s/%s", self.folder, name);
    return result;
}

static void make_non_blocking(int fd) {
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) fail("fcntl");
}

int listen_or_bind(void) {
    int fd = new_socket();
    struct sockaddr_un name = address("server");
    if (bind(fd, (struct sockaddr *) &name, sizeof(name)) < 0) fail("bind");
    if (self.type != SOCK_DGRAM && listen(fd, 4096) < 0) fail("listen");
    make_non_blocking(fd);
    return fd;
}

int connect_blocking(void) {
    int fd = new_socket();
    struct sockaddr_un server = address("server");
    if (self.type == SOCK_DGRAM) {
        struct sockaddr_un client = address("client");
        if (bind(fd, (struct sockaddr *) &client, sizeof(client)) < 0) fail("bind");
    }
    if (connect(fd, (struct sockaddr *) &server, sizeof(server)) < 0) fail("connect");
    return fd;
}

int connect_to_server(void) {
    int fd = connect_blocking();
    make_non_blocking(fd);
    return fd;
}

int accept_connection(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && errno != EAGAIN) fail("accept4");
    return fd;
}

void put_header(char *message, int64_t number) {
    uint32_t length = htobe32((uint32_t) self.size - 4);
    uint64_t big_endian = htobe64((uint64_t) number);
    memcpy(message, &length, sizeof(length));
    memcpy(message + 4, &big_endian, sizeof(big_endian));
}

void check_header(const char *header, size_t length) {
    uint32_t rest;
    uint64_t number;
    memcpy(&rest, header, sizeof(rest));
    memcpy(&number, header + 4, sizeof(number));
    if (length != self.size || be32toh(rest) != length - 4 || be64toh(number) != (uint64_t) received) errors++;
    received++;
}

int new_epoll(void) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) fail("epoll_create1");
    return epoll;
}

void watch(int epoll, int fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

void await(int epoll) {
    struct epoll_event event;
    if (epoll_wait(epoll, &event, 1, self.spin ? 0 : -1) < 0 && errno != EINTR) fail("epoll_wait");
}

void send_messages(int fd, int epoll, struct mmsghdr *messages, int count) {
    for (int sent = 0; sent < count;) {
        int some = sendmmsg(fd, messages + sent, (unsigned) (count - sent), MSG_NOSIGNAL);
        if (some >= 0) sent += some;
        else if (errno == EAGAIN) await(epoll);
        else fail("sendmmsg");
    }
}

void attach(struct msghdr *message, int fd, int count) {
    struct cmsghdr *rights = message->msg_control;
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN((size_t) count * sizeof(fd));
    for (int i = 0; i < count; i++) memcpy(CMSG_DATA(rights) + (size_t) i * sizeof(fd), &fd, sizeof(fd));
}

static void print_memory(void) {
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm || fscanf(statm, "%*d %ld", &pages) != 1) fail("statm");
    fclose(statm);
    printf("memory=%ld\n", pages * sysconf(_SC_PAGESIZE));
    fflush(stdout);
}

void server_command(void) {
    char line[64];
    size_t length = 0;
    for (ssize_t n; (n = read(STDIN_FILENO, line + length, 1)) != 0; length++) {
        if (n < 0) fail("stdin");
        if (line[length] == '\n' || length == sizeof(line) - 1) break;
    }
    if (length == 0) exit(0);
    line[length] = 0;
    if (strcmp(line, "run") == 0) {
        received = errors = 0;
        expected = -1;
        reply("go");
    } else if (sscanf(line, "expect %ld", &expected) == 1) {
        server_progress();
    } else if (strcmp(line, "memory") == 0) {
        print_memory();
    } else {
        fprintf(stderr, "what is %s?\n", line);
        exit(1);
    }
}

void server_progress(void) {
    if (expected >= 0 && received >= expected) {
        printf("messages=%ld errors=%ld\n", received, errors);
        fflush(stdout);
        expected = -1;
    }
}

/* Connects a datagram socket to its client, so that the kernel limits bytes and not messages. */
static void connect_back(int fd) {
    struct sockaddr_un client = address("client");
    if (connect(fd, (struct sockaddr *) &client, sizeof(client)) < 0) fail("connect back");
}

_Noreturn void serve(void (*receive)(int fd)) {
    int listener = listen_or_bind();
    int epoll = new_epoll();
    bool associated = self.type != SOCK_DGRAM;
    watch(epoll, STDIN_FILENO, EPOLLIN);
    watch(epoll, listener, EPOLLIN);
    reply("ready");
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO) {
                if (!associated) {
                    connect_back(listener);
                    associated = true;
                }
                server_command();
            } else if (fd == listener && self.type != SOCK_DGRAM) {
                int connection = accept_connection(listener);
                if (connection >= 0) watch(epoll, connection, EPOLLIN);
            } else {
                receive(fd);
            }
        }
        server_progress();
    }
}

int64_t next_round(void) {
    long millis;
    if (scanf(" run %ld", &millis) != 1) exit(0);
    return millis * 1000000;
}

void round_done(long messages, int64_t nanos, const char *more) {
    printf("messages=%ld nanos=%lld errors=%ld%s\n", messages, (long long) nanos, errors, more);
    fflush(stdout);
    errors = 0;
}

int main(int argc, char **argv) {
    if (argc != 9) {
        fprintf(stderr, "usage: peer plain|batch server|client OPERATION TYPE SIZE COUNT WAITING FOLDER\n");
        return 2;
    }
    self = (settings) {
        .batch = strcmp(argv[1], "batch") == 0,
        .server = strcmp(argv[2], "server") == 0,
        .operation = argv[3],
        .type = strcmp(argv[4], "stream") == 0      ? SOCK_STREAM
                : strcmp(argv[4], "seqpacket") == 0 ? SOCK_SEQPACKET
                                                    : SOCK_DGRAM,
        .size = (size_t) atol(argv[5]),
        .count = atoi(argv[6]),
        .spin = strcmp(argv[7], "spin") == 0,
        .folder = argv[8],
    };
    /* Commands are read a character at a time: epoll does not see what is left in a buffer. */
    setvbuf(stdin, NULL, _IONBF, 0);
    static const struct {
        const char *operation;
        void (*server)(void), (*client)(void);
    } all[] = {
        {"one-way", one_way_server, one_way_client},
        {"echo", echo_server, echo_client},
        {"connect", connect_server, connect_client},
        {"descriptors", descriptors_server, descriptors_client},
        {"shared", shared_server, shared_client},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        if (strcmp(all[i].operation, self.operation) == 0) {
            (self.server ? all[i].server : all[i].client)();
            return 0;
        }
    }
    fprintf(stderr, "no such operation: %s\n", self.operation);
    return 2;
}
