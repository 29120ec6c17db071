/* The client connects, sends one byte and waits until the server has closed the connection; then it does so again. */
#include "peer.h"

static void take(int fd) {
    char byte;
    ssize_t length = recv(fd, &byte, 1, 0);
    if (length < 0 && errno == EAGAIN) return;
    if (length != 1) errors++;
    close(fd);
    received++;
}

void connect_server(void) {
    serve(take);
}

void connect_client(void) {
    reply("ready");
    for (int64_t duration; (duration = next_round()) > 0;) {
        int64_t start = now(), end;
        long count = 0;
        do {
            char nothing;
            int fd = connect_blocking();
            if (send(fd, "!", 1, MSG_NOSIGNAL) != 1) fail("send");
            if (recv(fd, &nothing, 1, 0) != 0) errors++;
            close(fd);
            count++;
            end = now();
        } while (end - start < duration);
        round_done(count, end - start, "");
    }
}
