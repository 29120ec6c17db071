/* What the programs of all workloads share: the counterpart of Settings.java and PeerProgram.java. */
#ifndef PEER_H
#define PEER_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    bool batch; /* many messages per system call */
    bool server;
    const char *operation;
    int type; /* SOCK_STREAM ... */
    size_t size; /* of a message, including its header */
    int count; /* connections, or descriptors per message */
    bool spin;
    const char *folder; /* of the socket files */
} settings;

extern settings self;

/* A message begins with the length of what follows (4 bytes, big-endian) and its number (8 bytes). */
enum { HEADER = 12, BATCH = 64, EVENTS = 256 };

/* The server's counters of a round, and the number of messages that the client has sent; -1 if unknown. */
extern long received, errors, expected;

_Noreturn void fail(const char *what);
void *allocate(size_t count, size_t size);
int64_t now(void);
void reply(const char *line);

int new_socket(void);
int listen_or_bind(void);
int connect_to_server(void);
int connect_blocking(void);
int accept_connection(int listener);

void put_header(char *message, int64_t number);
/* Counts and checks a message; length is that of the whole message. */
void check_header(const char *header, size_t length);

int new_epoll(void);
void watch(int epoll, int fd, uint32_t events);
void await(int epoll);

void send_messages(int fd, int epoll, struct mmsghdr *messages, int count);
/* Adds count descriptors to a message, which has room for the control data. */
void attach(struct msghdr *message, int fd, int count);

/* Runs the server: accepts connections, calls receive when one is readable, and obeys commands. */
_Noreturn void serve(void (*receive)(int fd));
/* Reads a command when stdin is readable. Exits at its end. */
void server_command(void);
void server_progress(void);
/* Waits for the client's next round and returns its duration in nanoseconds. Exits at the end of stdin. */
int64_t next_round(void);
void round_done(long messages, int64_t nanos, const char *more);

void one_way_server(void);
void one_way_client(void);
void echo_server(void);
void echo_client(void);
void connect_server(void);
void connect_client(void);
void descriptors_server(void);
void descriptors_client(void);
void shared_server(void);
void shared_client(void);

#endif
