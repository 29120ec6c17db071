/*
 * Included first when the library is built a second time for tests: it hides what macOS lacks, so that Linux runs the
 * code that macOS runs instead.
 */
#include <errno.h>
#include <sys/socket.h>

#undef SOCK_CLOEXEC
#undef MSG_CMSG_CLOEXEC
#define HAS_MMSG 0
#define HAS_CLOSEFROM 0
#define HAS_SOCKET_HANDLES 0

static inline int like_macos_socket(int domain, int type, int protocol) {
    if (type == SOCK_SEQPACKET) return errno = EPROTONOSUPPORT, -1;
    return socket(domain, type, protocol);
}

static inline int like_macos_socketpair(int domain, int type, int protocol, int *fds) {
    if (type == SOCK_SEQPACKET) return errno = EPROTONOSUPPORT, -1;
    return socketpair(domain, type, protocol, fds);
}

#define socket like_macos_socket
#define socketpair like_macos_socketpair
#define accept4 not_on_macos
#define sendmmsg not_on_macos
#define recvmmsg not_on_macos
