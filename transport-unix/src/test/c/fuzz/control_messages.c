/*
 * The walk over the control messages of a received header: each descriptor is delivered, left to be closed, or closed,
 * once, in order; nothing outside the control buffer is read.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <unistd.h>

enum { MOST = 4096 };

static int closed[MOST + 8], closed_count;

static int close_recorded(int fd) {
    closed[closed_count++] = fd;
    return 0;
}

#define close close_recorded
#include "../../../main/c/control_data.c"
#undef close

/*
 * What is in the buffer, found in a simpler way than by the macros of cmsg(3). Returns the number of descriptors; -1 if
 * a message after the first one is longer than what is left of the buffer. No kernel writes that, and the macros of
 * libcs differ in what they do then. sender is where the last credentials are, NULL if there are none.
 */
static int find(const char *control, size_t size, int *fds, int *pidfd, const char **sender) {
    int count = 0;
    *sender = NULL;
    for (size_t at = 0; at + sizeof(struct cmsghdr) <= size;) {
        struct cmsghdr header;
        memcpy(&header, control + at, sizeof(header));
        if (header.cmsg_len < sizeof(header)) break;
        if (at > 0 && header.cmsg_len > size - at) return -1;
        size_t end = header.cmsg_len > size - at ? size : at + header.cmsg_len;
        if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_CREDENTIALS
                && end >= at + sizeof(header) + sizeof(struct ucred))
            *sender = control + at + sizeof(header);
        for (size_t i = at + sizeof(header); header.cmsg_level == SOL_SOCKET && i + sizeof(int) <= end;
                i += sizeof(int)) {
            if (header.cmsg_type == SCM_RIGHTS) memcpy(&fds[count++], control + i, sizeof(int));
            if (header.cmsg_type != SCM_PIDFD || i != at + sizeof(header)) continue;
            int number;
            memcpy(&number, control + i, sizeof(number));
            if (number >= 0) *pidfd = number;
        }
        if (end == size) break;
        at = (end + 7) & ~(size_t) 7;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size};
    int max_fds = take(&in, MAX_FDS + 1);
    int options = take(&in, 4);
    if (in.size > MOST) return 0;
    /* As control buffers are. */
    in.size &= ~(size_t) 7;
    char *control = allocate(in.size);
    if (in.size > 0) memcpy(control, in.data, in.size);
    struct msghdr header = {
        .msg_control = control, .msg_controllen = in.size, .msg_flags = options & 1 ? MSG_CTRUNC : 0};
    int expected[MOST], pidfd = -1;
    const char *named;
    int count = find(control, in.size, expected, &pidfd, &named);
    if (count == -1) return free(control), 0;
    int32_t fds[MAX_FDS];
    credentials sender;
    closed_count = 0;
    control_data found = nettyunix_parse_ancillary(&header, options & 2 ? in.size : 0, fds, max_fds, &sender);

    CHECK(found.fd_count >= 0 && found.unwanted >= 0 && found.fd_count + found.unwanted <= MAX_FDS);
    CHECK(found.fd_count <= max_fds && (found.fd_count == 0 || !found.truncated));
    int kept = found.fd_count + found.unwanted;
    int surplus = count > kept ? count - kept : 0;
    CHECK(count <= MAX_FDS ? kept == count : kept == MAX_FDS);
    for (int i = 0; i < count; i++) CHECK(expected[i] == (i < kept ? fds[i] : closed[i - kept]));
    if (found.truncated && pidfd >= 0) CHECK(closed_count == surplus + 1 && closed[surplus] == pidfd);
    else CHECK(closed_count == surplus && found.pidfd == pidfd);
    if (max_fds > 0 && (options & 1 || count > max_fds)) CHECK(found.truncated);
    CHECK(found.has_credentials == (named != NULL));
    if (named != NULL) {
        struct ucred peer;
        memcpy(&peer, named, sizeof(peer));
        /* MemorySanitizer reports a comparison of what was not set. */
        CHECK(sender.pid == peer.pid && sender.uid == (int32_t) peer.uid && sender.gid == (int32_t) peer.gid);
    }
    if (found.label_length >= 0) {
        CHECK(found.label >= control && found.label + found.label_length <= control + in.size);
        CHECK(memchr(found.label, 0, (size_t) found.label_length) == NULL);
    } else {
        CHECK(found.label_length == -1);
    }
    free(control);
    return 0;
}
