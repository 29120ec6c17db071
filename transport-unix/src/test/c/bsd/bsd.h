/*
 * Included first to check on Linux that the library's code for macOS and the BSDs is valid C. Linux's headers stand in
 * for theirs: what only Linux has is hidden, and what only they have is declared as they document it. This compiles
 * every #ifdef; only the platform itself can show that the code works.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#undef O_PATH
#undef MAP_NORESERVE
#undef SO_PASSCRED
#undef SO_PASSSEC
#ifndef LIKE_OPENBSD
#undef SO_PEERCRED
#endif
#ifndef LIKE_FREEBSD
#undef MFD_ALLOW_SEALING
#undef F_ADD_SEALS
#endif

#ifdef LIKE_MACOS
#define __APPLE__ 1
#undef SOCK_CLOEXEC
#undef MSG_CMSG_CLOEXEC
#undef MSG_NOSIGNAL
#define SO_NOSIGPIPE 0x1022
#define accept4 not_on_macos
#define POSIX_SPAWN_CLOEXEC_DEFAULT 0x4000
#define posix_spawn_file_actions_addinherit_np(actions, fd) ((void) (actions), (void) (fd), 0)
#endif

#ifdef LIKE_FREEBSD
#define HAS_EVENTFD 1
#define SCM_CREDS2 8
#define CMGROUP_MAX 16
struct sockcred2 {
    int sc_version;
    pid_t sc_pid;
    uid_t sc_uid, sc_euid;
    gid_t sc_gid, sc_egid;
    int sc_ngroups;
    gid_t sc_groups[1];
};
#define SOCKCRED2SIZE(groups) (sizeof(struct sockcred2) + (sizeof(gid_t) * ((groups) - 1)))
#endif

#if defined(LIKE_NETBSD) || defined(LIKE_OPENBSD)
#define HAS_CLOSEFROM 0
#endif

#ifdef LIKE_OPENBSD
struct sockpeercred {
    uid_t uid;
    gid_t gid;
    pid_t pid;
};
#endif

#define sendmmsg not_everywhere
#define recvmmsg not_everywhere
