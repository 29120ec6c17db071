/*
 * The control data of one message: what is attached to it on the way out, and found with it on the way in. See cmsg(3).
 */
#ifndef CONTROL_DATA_H
#define CONTROL_DATA_H

#include "nettyunix.h"

#include <sys/time.h>

#if defined(__linux__)
#define CREDENTIALS_SPACE CMSG_SPACE(sizeof(struct ucred))
#elif defined(SCM_CREDS2)
#define CREDENTIALS_SPACE CMSG_SPACE(SOCKCRED2SIZE(CMGROUP_MAX))    /* FreeBSD */
#else
#define CREDENTIALS_SPACE 0
#endif
#define MARK_SPACE CMSG_SPACE(sizeof(struct timeval))

/* The longest label is as long as its security module likes: SELinux's have about 100 bytes. */
#define MAX_LABEL 512
#define LABEL_SPACE CMSG_SPACE(MAX_LABEL)
#define PIDFD_SPACE CMSG_SPACE(sizeof(int))

typedef struct {
    int32_t pid, uid, gid;
} credentials;

/* What was found in a message's control data. */
typedef struct {
    int32_t fd_count;
    int32_t unwanted;                   /* descriptors that follow those, to be closed */
    int32_t has_credentials;
    int32_t truncated;
    int32_t pidfd;                      /* -1 if there is none */
    int32_t label_length;               /* -1 if there is none */
    const char *label;                  /* in the control buffer */
} control_data;

/*
 * Puts the descriptors and, if not NULL, the credentials into the header's control buffer, which has room for
 * CONTROL_OUT bytes. Returns an errno: only Linux lets a sender specify its credentials.
 */
#define CONTROL_OUT (CMSG_SPACE(sizeof(int32_t) * MAX_FDS) + CMSG_SPACE(sizeof(int32_t) * 4))
int nettyunix_attach(struct msghdr *header, const int32_t *fds, int fd_count, const credentials *sender);

/*
 * Takes the descriptors (at most max_fds), the credentials, the pidfd and the label out of a received header. The room
 * is that of its control buffer, 0 if nobody wants the label. If the control data was cut, or holds more descriptors
 * than that, all of them are unwanted and it counts as truncated. max_fds 0 makes descriptors unwanted without a word;
 * then it is truncated if the pidfd or the label could not be delivered. fds has room for MAX_FDS.
 */
control_data nettyunix_detach(struct msghdr *header, size_t room, int32_t *fds, int max_fds, credentials *sender);

#endif
