/* See control_data.h. */
#include "control_data.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#ifndef SCM_SECURITY
#define SCM_SECURITY 0x03
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif
#endif

int nettyunix_build_ancillary(struct msghdr *header, const int32_t *fds, int fd_count, const credentials *sender) {
    struct cmsghdr *message = header->msg_control;
    size_t used = 0;
    if (fd_count > 0) {
        message->cmsg_level = SOL_SOCKET;
        message->cmsg_type = SCM_RIGHTS;
        message->cmsg_len = CMSG_LEN(sizeof(int32_t) * (size_t) fd_count);
        memcpy(CMSG_DATA(message), fds, sizeof(int32_t) * (size_t) fd_count);
        used = CMSG_SPACE(sizeof(int32_t) * (size_t) fd_count);
    }
#ifdef __linux__
    if (sender != NULL) {
        struct ucred claim = {.pid = sender->pid, .uid = (uid_t) sender->uid, .gid = (gid_t) sender->gid};
        message = (struct cmsghdr *) ((char *) header->msg_control + used);
        message->cmsg_level = SOL_SOCKET;
        message->cmsg_type = SCM_CREDENTIALS;
        message->cmsg_len = CMSG_LEN(sizeof(claim));
        memcpy(CMSG_DATA(message), &claim, sizeof(claim));
        used += CMSG_SPACE(sizeof(claim));
    }
#else
    if (sender != NULL) return EOPNOTSUPP;
#endif
    header->msg_controllen = (__typeof__(header->msg_controllen)) used;
    if (used == 0) header->msg_control = NULL;
    return 0;
}

control_data nettyunix_parse_ancillary(struct msghdr *header, size_t room, int32_t *fds, int max_fds,
        credentials *sender) {
    control_data found = {.truncated = (header->msg_flags & MSG_CTRUNC) != 0, .pidfd = -1, .label_length = -1};
    (void) sender;                                      /* if messages have no credentials */
    int surplus = 0;
    int lost = 0;                       /* something other than descriptors */
    (void) room;
    /* cmsg_len may exceed the buffer (macOS does not reduce it), so every step is limited by the buffer's end. */
    const char *end = (const char *) header->msg_control + header->msg_controllen;
    struct cmsghdr *message = header->msg_controllen < sizeof(struct cmsghdr) ? NULL : CMSG_FIRSTHDR(header);
    for (; message != NULL; message = CMSG_NXTHDR(header, message)) {
        const char *data = (const char *) CMSG_DATA(message);
        if (message->cmsg_len < CMSG_LEN(0) || data > end) break;
        size_t length = message->cmsg_len - CMSG_LEN(0);
        if (length > (size_t) (end - data)) length = (size_t) (end - data);
        if (message->cmsg_level != SOL_SOCKET) continue;
        if (message->cmsg_type == SCM_RIGHTS) {
            for (size_t i = 0; i + sizeof(int) <= length; i += sizeof(int)) {
                int fd;
                memcpy(&fd, data + i, sizeof(fd));
#ifndef MSG_CMSG_CLOEXEC
                fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
                if (found.fd_count < max_fds) {
                    fds[found.fd_count++] = fd;
                } else if (found.fd_count + found.unwanted < MAX_FDS) {
                    fds[found.fd_count + found.unwanted++] = fd;
                } else {
                    /* Linux senders cannot send as many. */
                    close(fd);
                    surplus = 1;
                }
            }
#ifdef __linux__
        } else if (message->cmsg_type == SCM_CREDENTIALS && length >= sizeof(struct ucred)) {
            struct ucred peer;
            memcpy(&peer, data, sizeof(peer));
            *sender = (credentials) {peer.pid, (int32_t) peer.uid, (int32_t) peer.gid};
            found.has_credentials = 1;
        } else if (message->cmsg_type == SCM_PIDFD && length >= sizeof(int)) {
            int pidfd;
            memcpy(&pidfd, data, sizeof(pidfd));
            /* Otherwise it is an errno: before Linux 6.16 there is no pidfd of a process that has ended. */
            if (pidfd >= 0) found.pidfd = pidfd;
            else lost |= pidfd != -ESRCH && pidfd != -EINVAL;
        } else if (message->cmsg_type == SCM_SECURITY) {
            found.label = data;
            found.label_length = (int32_t) strnlen(data, length);
            lost |= room > 0 && found.truncated && data + length >= (const char *) header->msg_control + room;
#elif defined(SCM_CREDS2)
        } else if (message->cmsg_type == SCM_CREDS2 && length >= SOCKCRED2SIZE(1)) {
            struct sockcred2 peer;
            memcpy(&peer, data, SOCKCRED2SIZE(1));
            *sender = (credentials) {peer.sc_pid, (int32_t) peer.sc_euid, (int32_t) peer.sc_egid};
            found.has_credentials = 1;
#endif
        }
    }
    found.truncated = lost || (max_fds > 0 && (surplus || found.unwanted > 0 || found.truncated));
    if (found.truncated) {
        found.unwanted += found.fd_count;
        if (found.pidfd != -1) close(found.pidfd);
        found.fd_count = 0;
        found.pidfd = -1;
    }
    return found;
}
