/* UnixSocket.java: sockets and their names, connections, options and peers. See unix(7), socket(7). */
#include "nettyunix.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(LOCAL_PEERCRED)
#include <sys/ucred.h>
#endif

#if defined(__linux__)
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif
#elif !defined(SOL_LOCAL)
#define SOL_LOCAL 0                                     /* NetBSD */
#endif

/* In the order of SocketType. */
static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};

socklen_t nettyunix_encode_name(struct sockaddr_un *address, const char *name, size_t length) {
    int terminated = length > 0 && name[0] != 0;
    if (length > MAX_NAME - (size_t) terminated) return 0;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, name, length);
    if (terminated) address->sun_path[length] = 0;
    socklen_t size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length + (size_t) terminated);
#ifndef __linux__
    address->sun_len = (unsigned char) size;
#endif
    return size;
}

size_t nettyunix_decode_name(const struct sockaddr_un *address, socklen_t length) {
    if (length <= offsetof(struct sockaddr_un, sun_path)) return 0;
    size_t size = length - offsetof(struct sockaddr_un, sun_path);
    if (size > MAX_NAME) size = MAX_NAME;
#ifdef __linux__
    if (address->sun_path[0] == 0) return size;
#endif
    return strnlen(address->sun_path, size);
}

int nettyunix_encode_array(JNIEnv *env, struct sockaddr_un *address, jbyteArray name) {
    REQUIRE(has_room(env, name, 0));
    char bytes[MAX_NAME];
    jsize length = (*env)->GetArrayLength(env, name);
    if ((size_t) length > MAX_NAME) return -ENAMETOOLONG;
    (*env)->GetByteArrayRegion(env, name, 0, length, (jbyte *) bytes);
    /* The kernel would treat the NUL as the end of the path. */
    REQUIRE(length == 0 || bytes[0] == 0 || memchr(bytes, 0, (size_t) length) == NULL);
    socklen_t size = nettyunix_encode_name(address, bytes, (size_t) length);
    return size == 0 ? -ENAMETOOLONG : (int) size;
}

/* Stores a name in an array that has room for MAX_NAME bytes. Returns its length. */
static jint decode(JNIEnv *env, const struct sockaddr_un *address, socklen_t length, jbyteArray name) {
    jsize size = (jsize) nettyunix_decode_name(address, length);
    (*env)->SetByteArrayRegion(env, name, 0, size, (const jbyte *) address->sun_path);
    return size;
}

#ifndef SOCK_CLOEXEC
/* Returns the descriptor, or closes it and returns -1 with errno. */
static int prepare(int fd) {
    if (fd == -1) return -1;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || fcntl(fd, F_SETFL, O_NONBLOCK) == -1) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
#ifdef __APPLE__
    /* The defaults are 8 KiB for streams and 2 KiB for datagrams; use as much as on Linux. */
    int size = 212992;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
#endif
    return fd;
}
#endif

static jint new_socket(JNIEnv *env, jclass class, jint type) {
    (void) env, (void) class;
    REQUIRE(type >= 0 && type < COUNT(types));
#ifdef SOCK_CLOEXEC
    return RESULT(socket(AF_UNIX, types[type] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
#else
    return RESULT(prepare(socket(AF_UNIX, types[type], 0)));
#endif
}

static jint new_socket_pair(JNIEnv *env, jclass class, jint type, jintArray pair) {
    (void) class;
    REQUIRE(type >= 0 && type < COUNT(types) && has_room(env, pair, 2));
    int fds[2];
#ifdef SOCK_CLOEXEC
    int result = RESULT(socketpair(AF_UNIX, types[type] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
    if (result < 0) return result;
#else
    int result = RESULT(socketpair(AF_UNIX, types[type], 0, fds));
    if (result < 0) return result;
    if (prepare(fds[0]) == -1) return result = -errno, close(fds[1]), result;
    if (prepare(fds[1]) == -1) return result = -errno, close(fds[0]), result;
#endif
    (*env)->SetIntArrayRegion(env, pair, 0, 2, (const jint *) fds);
    return 0;
}

static jint make_non_blocking(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    int flags = RESULT(fcntl(fd, F_GETFL));
    if (flags < 0) return flags;
    if ((flags & O_NONBLOCK) == 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) return -errno;
    return RESULT(fcntl(fd, F_SETFD, FD_CLOEXEC));
}

/* Returns the index of the socket's type, plus 4 if it is listening; -EAFNOSUPPORT if it is not an AF_UNIX socket. */
static jint describe(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    if (getsockname(fd, (struct sockaddr *) &address, &length) == -1) return -errno;
    if (address.ss_family != AF_UNIX) return -EAFNOSUPPORT;
    int type, listening = 0;
    length = sizeof(int);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == -1) return -errno;
    length = sizeof(int);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == -1) return -errno;
    for (jint i = 0; i < COUNT(types); i++) {
        if (types[i] == type) return i + (listening ? 4 : 0);
    }
    return -ESOCKTNOSUPPORT;
}

static jint bind_name(JNIEnv *env, jclass class, jint fd, jbyteArray name) {
    (void) class;
    struct sockaddr_un address;
    int length = nettyunix_encode_array(env, &address, name);
    return length < 0 ? length : RESULT(bind(fd, (struct sockaddr *) &address, (socklen_t) length));
}

/*
 * O_NONBLOCK belongs to the open file description: another holder of the socket can clear it, and no flag keeps accept
 * and connect from blocking then. Therefore it is set again before each of them. Returns the descriptor.
 */
static int keep_non_blocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags != -1 && (flags & O_NONBLOCK) == 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    return fd;
}

static jint connect_name(JNIEnv *env, jclass class, jint fd, jbyteArray name) {
    (void) class;
    struct sockaddr_un address;
    int length = nettyunix_encode_array(env, &address, name);
    if (length < 0) return length;
    return RESULT(connect(keep_non_blocking(fd), (struct sockaddr *) &address, (socklen_t) length));
}

/* connect(2) to AF_UNSPEC removes a datagram socket's association with its peer. */
static jint disconnect(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    struct sockaddr address = {.sa_family = AF_UNSPEC};
    return RESULT(connect(fd, &address, sizeof(address)));
}

static jint listen_backlog(JNIEnv *env, jclass class, jint fd, jint backlog) {
    (void) env, (void) class;
    return RESULT(listen(fd, backlog));
}

/* The first byte of peer_name receives the length of the name, and the rest the name. */
static jint accept_connection(JNIEnv *env, jclass class, jint fd, jbyteArray peer_name) {
    (void) class;
    REQUIRE(has_room(env, peer_name, 1 + MAX_NAME));
    keep_non_blocking(fd);
    struct sockaddr_un address;
    socklen_t length = sizeof(address);
#ifdef SOCK_CLOEXEC
    int result = RESULT(accept4(fd, (struct sockaddr *) &address, &length, SOCK_CLOEXEC | SOCK_NONBLOCK));
#else
    int result = RESULT(prepare(accept(fd, (struct sockaddr *) &address, &length)));
#endif
    if (result >= 0) {
        jbyte size = (jbyte) nettyunix_decode_name(&address, length);
        (*env)->SetByteArrayRegion(env, peer_name, 0, 1, &size);
        if (size > 0) (*env)->SetByteArrayRegion(env, peer_name, 1, size, (const jbyte *) address.sun_path);
    }
    return result;
}

static jint local_name(JNIEnv *env, jclass class, jint fd, jbyteArray name) {
    (void) class;
    REQUIRE(has_room(env, name, MAX_NAME));
    struct sockaddr_un address;
    socklen_t length = sizeof(address);
    return getsockname(fd, (struct sockaddr *) &address, &length) == -1 ? -errno : decode(env, &address, length, name);
}

static jint peer_name(JNIEnv *env, jclass class, jint fd, jbyteArray name) {
    (void) class;
    REQUIRE(has_room(env, name, MAX_NAME));
    struct sockaddr_un address;
    socklen_t length = sizeof(address);
    return getpeername(fd, (struct sockaddr *) &address, &length) == -1 ? -errno : decode(env, &address, length, name);
}

/*
 * The socket is non-blocking, but O_NONBLOCK belongs to its open file description: any other holder can clear it.
 * MSG_DONTWAIT belongs to the call.
 */
#define SEND_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT)

static jint receive(JNIEnv *env, jclass class, jint fd, jlong address, jint length) {
    (void) env, (void) class;
    REQUIRE(is_range(address, length));
    return (jint) RESULT(recv(fd, POINTER(address), (size_t) length, MSG_DONTWAIT));
}

static jint send_bytes(JNIEnv *env, jclass class, jint fd, jlong address, jint length) {
    (void) env, (void) class;
    REQUIRE(is_range(address, length));
    return (jint) RESULT(send(fd, POINTER(address), (size_t) length, MSG_NOSIGNAL | MSG_DONTWAIT));
}

static jlong send_vector(JNIEnv *env, jclass class, jint fd, jlong vector, jint count) {
    (void) env, (void) class;
    REQUIRE(count >= 1 && count <= IOV_MAX && is_range(vector, count * (jlong) sizeof(struct iovec)));
    struct iovec *first = POINTER(vector);
    if (count == 1) return RESULT(send(fd, first->iov_base, first->iov_len, SEND_FLAGS));     /* the cheaper call */
    struct msghdr header = {.msg_iov = first, .msg_iovlen = (__typeof__(header.msg_iovlen)) count};
    return RESULT(sendmsg(fd, &header, SEND_FLAGS));
}

/*
 * Returns what the next read would find: 1 for data, 0 for the end of the stream, -EAGAIN for nothing yet. An empty
 * record counts as data if the socket's records are marked (see mark_records); without a control buffer, the mark is
 * MSG_CTRUNC. On a stream, the kernel sets that at the end too, if it would attach the sender's identity.
 */
static jint peek(JNIEnv *env, jclass class, jint fd, jboolean marked) {
    (void) env, (void) class;
    char byte;
    struct iovec vector = {&byte, 1};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
    int result = (int) RESULT(recvmsg(fd, &header, MSG_PEEK | MSG_DONTWAIT));
    return result == 0 && marked && (header.msg_flags & RECORD_MARKS) != 0 ? 1 : result;
}

/*
 * An empty record and the end of a seqpacket stream are both read as 0 bytes. With one of these options, the kernel
 * attaches control data to every record, but not to the end of the stream. SO_PASSSEC shows as MSG_CTRUNC if there is
 * no control buffer, and costs least. SO_TIMESTAMP shows as a control message. Neither is visible to the peer. On the
 * BSDs, the sender marks every record with MSG_EOR.
 */
static jint mark_records(JNIEnv *env, jclass class, jint fd, jboolean timestamp, jboolean on) {
    (void) env, (void) class;
    int value = on;
#ifdef __linux__
    return RESULT(setsockopt(fd, SOL_SOCKET, timestamp ? SO_TIMESTAMP : SO_PASSSEC, &value, sizeof(value)));
#else
    (void) fd, (void) timestamp, (void) value;
    return 0;
#endif
}

/* In the order of UnixSocket's constants. */
static const struct {
    int level;
    int name;                           /* -1: the platform has no such option */
} options[] = {
#if defined(__linux__)
    {SOL_SOCKET, SO_PASSCRED},
    {SOL_SOCKET, SO_PASSPIDFD},
    {SOL_SOCKET, SO_PASSSEC},
    {SOL_SOCKET, SO_PASSRIGHTS},
#else
#if defined(LOCAL_CREDS_PERSISTENT)
    {SOL_LOCAL, LOCAL_CREDS_PERSISTENT},                /* FreeBSD */
#else
    {0, -1},
#endif
    {0, -1},
    {0, -1},
    {0, -1},
#endif
    {SOL_SOCKET, SO_SNDBUF},
    {SOL_SOCKET, SO_RCVBUF},
};

static jint set_option(JNIEnv *env, jclass class, jint fd, jint option, jint value) {
    (void) env, (void) class;
    REQUIRE(option >= 0 && option < COUNT(options));
    if (options[option].name == -1) return -ENOPROTOOPT;
    return RESULT(setsockopt(fd, options[option].level, options[option].name, &value, sizeof(value)));
}

static jint get_option(JNIEnv *env, jclass class, jint fd, jint option) {
    (void) env, (void) class;
    REQUIRE(option >= 0 && option < COUNT(options));
    int value = 0;
    socklen_t length = sizeof(value);
    if (options[option].name == -1) return -ENOPROTOOPT;
    return getsockopt(fd, options[option].level, options[option].name, &value, &length) == -1 ? -errno : value;
}

/* Options given by the user as numbers; none is longer than this. */
#define MAX_OPTION 4096

static jint set_option_bytes(JNIEnv *env, jclass class, jint fd, jint level, jint name, jbyteArray value) {
    (void) class;
    jbyte bytes[MAX_OPTION];
    REQUIRE(has_room(env, value, 0));
    jsize length = (*env)->GetArrayLength(env, value);
    REQUIRE(length <= MAX_OPTION);
    (*env)->GetByteArrayRegion(env, value, 0, length, bytes);
    return RESULT(setsockopt(fd, level, name, bytes, (socklen_t) length));
}

static jint get_option_bytes(JNIEnv *env, jclass class, jint fd, jint level, jint name, jbyteArray value) {
    (void) class;
    jbyte bytes[MAX_OPTION];
    REQUIRE(has_room(env, value, 0));
    jsize size = (*env)->GetArrayLength(env, value);
    REQUIRE(size <= MAX_OPTION);
    socklen_t length = (socklen_t) size;
    if (getsockopt(fd, level, name, bytes, &length) == -1) return -errno;
    /* Some options return the length that they would need. */
    if (length > (socklen_t) size) length = (socklen_t) size;
    (*env)->SetByteArrayRegion(env, value, 0, (jsize) length, bytes);
    return (jint) length;
}

static jint shut_down(JNIEnv *env, jclass class, jint fd, jboolean input, jboolean output) {
    (void) env, (void) class;
    if (input && output) return RESULT(shutdown(fd, SHUT_RDWR));
    return RESULT(shutdown(fd, input ? SHUT_RD : SHUT_WR));
}

/* POLLHUP means that both directions have ended. */
static jboolean is_hung_up(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    struct pollfd poll_fd = {.fd = fd};
    return RETRY(poll(&poll_fd, 1, 0)) == 1 && (poll_fd.revents & POLLHUP) != 0;
}

/*
 * Stores the pid, uid and gid of the process that called connect, listen or socketpair. The pid is 0 if the platform
 * does not report it.
 */
static jint peer_credentials(JNIEnv *env, jclass class, jint fd, jintArray credentials) {
    (void) class;
    REQUIRE(has_room(env, credentials, 3));
#if defined(SO_PEERCRED)
#if defined(__linux__)
    struct ucred peer;
#else
    struct sockpeercred peer;                           /* OpenBSD */
#endif
    socklen_t length = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == -1) return -errno;
    jint values[] = {peer.pid, (jint) peer.uid, (jint) peer.gid};
#elif defined(LOCAL_PEEREID)
    struct unpcbid peer;                                /* NetBSD */
    socklen_t length = sizeof(peer);
    if (getsockopt(fd, SOL_LOCAL, LOCAL_PEEREID, &peer, &length) == -1) return -errno;
    jint values[] = {peer.unp_pid, (jint) peer.unp_euid, (jint) peer.unp_egid};
#else
    struct xucred peer;                                 /* macOS, FreeBSD */
    socklen_t length = sizeof(peer);
    pid_t pid = 0;
    if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &peer, &length) == -1) return -errno;
#ifdef LOCAL_PEERPID
    length = sizeof(pid);
    if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &pid, &length) == -1) return -errno;
#else
    pid = peer.cr_pid;
#endif
    jint values[] = {pid, (jint) peer.cr_uid, (jint) peer.cr_groups[0]};
#endif
    (*env)->SetIntArrayRegion(env, credentials, 0, COUNT(values), values);
    return 0;
}

/* NGROUPS_MAX of Linux, for which some of its headers have had too small a number. */
#define MAX_GROUPS 65536

/* Stores the peer's supplementary groups. Returns their number, or -ERANGE if the array is too small. */
static jint peer_groups(JNIEnv *env, jclass class, jint fd, jintArray groups) {
    (void) class;
    REQUIRE(has_room(env, groups, 0) && (*env)->GetArrayLength(env, groups) <= MAX_GROUPS);
#if defined(__linux__)
    /* There may be 65 536 groups, more than should be on the stack of a thread. */
    jint *values = (*env)->GetIntArrayElements(env, groups, NULL);
    if (values == NULL) return -ENOMEM;
    socklen_t length = (socklen_t) (*env)->GetArrayLength(env, groups) * (socklen_t) sizeof(jint);
    int result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, values, &length);
    jint count = result == -1 ? -errno : (jint) (length / sizeof(jint));
    (*env)->ReleaseIntArrayElements(env, groups, values, count > 0 ? 0 : JNI_ABORT);
    return count;
#elif defined(LOCAL_PEERCRED)
    struct xucred peer;
    socklen_t length = sizeof(peer);
    if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &peer, &length) == -1) return -errno;
    /* The first one is the group that peer_credentials returns. */
    jint count = peer.cr_ngroups - 1;
    if (count > (*env)->GetArrayLength(env, groups)) return -ERANGE;
    if (count > 0) (*env)->SetIntArrayRegion(env, groups, 0, count, (const jint *) &peer.cr_groups[1]);
    return count;
#else
    (void) fd;
    return -ENOPROTOOPT;
#endif
}

/* Returns a pidfd of the peer, which the caller owns. */
static jint peer_pidfd(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
#ifdef __linux__
    int pidfd;
    socklen_t length = sizeof(pidfd);
    return getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == -1 ? -errno : pidfd;
#else
    (void) fd;
    return -ENOPROTOOPT;
#endif
}

/* Stores the peer's security label. Returns its length, or -ERANGE if the array is too small. */
static jint peer_label(JNIEnv *env, jclass class, jint fd, jbyteArray label) {
    (void) class;
    REQUIRE(has_room(env, label, 0));
#ifdef __linux__
    char bytes[4096];
    socklen_t length = (socklen_t) (*env)->GetArrayLength(env, label);
    if (length > sizeof(bytes)) length = sizeof(bytes);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERSEC, bytes, &length) == -1) return -errno;
    jint size = (jint) strnlen(bytes, length);
    (*env)->SetByteArrayRegion(env, label, 0, size, (const jbyte *) bytes);
    return size;
#else
    (void) fd;
    return -ENOPROTOOPT;
#endif
}

static const JNINativeMethod methods[] = {
    NATIVE("newSocket", "(I)I", new_socket),
    NATIVE("newSocketPair", "(I[I)I", new_socket_pair),
    NATIVE("makeNonBlocking", "(I)I", make_non_blocking),
    NATIVE("describe", "(I)I", describe),
    NATIVE("bind", "(I[B)I", bind_name),
    NATIVE("connect", "(I[B)I", connect_name),
    NATIVE("disconnect", "(I)I", disconnect),
    NATIVE("listen", "(II)I", listen_backlog),
    NATIVE("accept", "(I[B)I", accept_connection),
    NATIVE("localName", "(I[B)I", local_name),
    NATIVE("peerName", "(I[B)I", peer_name),
    NATIVE("receive", "(IJI)I", receive),
    NATIVE("sendBytes", "(IJI)I", send_bytes),
    NATIVE("send", "(IJI)J", send_vector),
    NATIVE("peek", "(IZ)I", peek),
    NATIVE("markRecords", "(IZZ)I", mark_records),
    NATIVE("shutdown", "(IZZ)I", shut_down),
    NATIVE("isHungUp", "(I)Z", is_hung_up),
    NATIVE("setOption", "(III)I", set_option),
    NATIVE("getOption", "(II)I", get_option),
    NATIVE("setOptionBytes", "(III[B)I", set_option_bytes),
    NATIVE("getOptionBytes", "(III[B)I", get_option_bytes),
    NATIVE("peerCredentials", "(I[I)I", peer_credentials),
    NATIVE("peerGroups", "(I[I)I", peer_groups),
    NATIVE("peerPidFd", "(I)I", peer_pidfd),
    NATIVE("peerLabel", "(I[B)I", peer_label),
};

const native_class nettyunix_unix_socket = {
    .name = "UnixSocket",
    .methods = methods,
    .method_count = COUNT(methods),
};
