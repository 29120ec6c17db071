/* The control data of one message: building it for sending, and parsing it on receipt. See cmsg(3). */
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

/* Security modules do not limit labels; those of SELinux have about 100 bytes. */
#define MAX_LABEL 512
#define LABEL_SPACE CMSG_SPACE(MAX_LABEL)
#define PIDFD_SPACE CMSG_SPACE(sizeof(int))

typedef struct {
    int32_t pid, uid, gid;
} credentials;

/* What was found in a message's control data. */
typedef struct {
    int32_t fd_count;
    int32_t unwanted;                   /* further descriptors, to be closed */
    int32_t has_credentials;
    int32_t truncated;
    int32_t pidfd;                      /* -1 if there is none */
    int32_t label_length;               /* -1 if there is none */
    const char *label;                  /* in the control buffer */
} control_data;

/*
 * Builds the control messages of the descriptors and, if sender is not NULL, of the credentials in the header's control
 * buffer, which has room for CONTROL_OUT bytes. Returns an errno: only Linux lets a sender specify its credentials.
 */
#define CONTROL_OUT (CMSG_SPACE(sizeof(int32_t) * MAX_FDS) + CMSG_SPACE(sizeof(int32_t) * 4))
int nettyunix_build_ancillary(struct msghdr *header, const int32_t *fds, int fd_count, const credentials *sender);

/*
 * Parses the control messages of a received header: descriptors (at most max_fds), credentials, pidfd and label. fds
 * has room for MAX_FDS; room is the size of the control buffer, or 0 if the label is not requested.
 *
 * If the control data was truncated, or holds more descriptors than max_fds, all of them are unwanted and the result is
 * truncated. With max_fds 0, all descriptors are unwanted, and that alone is not a truncation; a pidfd or a label that
 * could not be delivered is.
 */
control_data nettyunix_parse_ancillary(struct msghdr *header, size_t room, int32_t *fds, int max_fds,
        credentials *sender);

#endif
