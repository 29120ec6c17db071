/* SocketFiles.java: the files of pathname sockets. See unix(7), lstat(2), flock(2), rename(2). */
#include "nettyunix.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether descriptors can refer to socket files, and whether the kernel reports which file a socket is bound to. */
#ifndef HAS_SOCKET_HANDLES
#ifdef __linux__
#define HAS_SOCKET_HANDLES 1
#else
#define HAS_SOCKET_HANDLES 0
#endif
#endif

#if HAS_SOCKET_HANDLES
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#endif

#ifdef __linux__
#include <sys/syscall.h>
#ifndef SIOCUNIXFILE
#define SIOCUNIXFILE 0x89E0                             /* SIOCPROTOPRIVATE, Linux 4.16 */
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452                               /* Linux 6.6; the same number everywhere but on Alpha */
#endif
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif
#endif

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

/* All paths end with a NUL. */
#define WITH_PATH(env, path, call) \
    ({ \
        int status_; \
        jbyte *chars_ = nettyunix_string(env, path, &status_); \
        if (chars_ != NULL) { \
            const char *name = (const char *) chars_; \
            status_ = (int) RESULT(call); \
            (*env)->ReleaseByteArrayElements(env, path, chars_, JNI_ABORT); \
        } \
        status_; \
    })

#define STATUS_LENGTH 6

static jint fill_status(JNIEnv *env, const struct stat *file, jlongArray result) {
    jlong values[STATUS_LENGTH] = {S_ISSOCK(file->st_mode), file->st_mode & 07777, (jlong) file->st_dev,
        (jlong) file->st_ino, (jlong) file->st_uid, (jlong) file->st_gid};
    (*env)->SetLongArrayRegion(env, result, 0, COUNT(values), values);
    return 0;
}

/* Stores {1 if it is a socket, permission bits, device, inode, uid, gid}. Symbolic links are not followed. */
static jint status(JNIEnv *env, jclass class, jbyteArray path, jlongArray result) {
    (void) class;
    REQUIRE(has_room(env, result, STATUS_LENGTH));
    struct stat file;
    int error = WITH_PATH(env, path, lstat(name, &file));
    return error < 0 ? error : fill_status(env, &file, result);
}

static jint status_of(JNIEnv *env, jclass class, jint fd, jlongArray result) {
    (void) class;
    REQUIRE(has_room(env, result, STATUS_LENGTH));
    struct stat file;
    int error = RESULT(fstat(fd, &file));
    return error < 0 ? error : fill_status(env, &file, result);
}

static jint remove_file(JNIEnv *env, jclass class, jbyteArray path) {
    (void) class;
    return WITH_PATH(env, path, unlink(name));
}

static int rename_with(const char *from, const char *to, int flags) {
#ifdef __linux__
    /* By number: older C libraries lack the function. */
    if (flags != 0) return (int) syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
#else
    if (flags != 0) return errno = ENOSYS, -1;
#endif
    return rename(from, to);
}

/* With flags of renameat2(2). Returns -ENOSYS or -EINVAL if the system or the file system does not support them. */
static jint rename_file(JNIEnv *env, jclass class, jbyteArray from, jbyteArray to, jint flags) {
    (void) class;
    REQUIRE(flags >= 0 && flags <= 2);
    int result;
    jbyte *target = nettyunix_string(env, to, &result);
    if (target == NULL) return result;
    result = WITH_PATH(env, from, rename_with(name, (const char *) target, flags));
    (*env)->ReleaseByteArrayElements(env, to, target, JNI_ABORT);
    return result;
}

/* Creates a second name for a file. Never replaces another file; symbolic links are not followed. */
static jint link_file(JNIEnv *env, jclass class, jbyteArray from, jbyteArray to) {
    (void) class;
    int result;
    jbyte *target = nettyunix_string(env, to, &result);
    if (target == NULL) return result;
    result = WITH_PATH(env, from, linkat(AT_FDCWD, name, AT_FDCWD, (const char *) target, 0));
    (*env)->ReleaseByteArrayElements(env, to, target, JNI_ABORT);
    return result;
}

/*
 * Returns a descriptor that refers to the file at a path, whatever the path names later; -ENOTSUP if the platform has
 * none for sockets.
 */
static jint open_file(JNIEnv *env, jclass class, jbyteArray path) {
    (void) class;
#if HAS_SOCKET_HANDLES
    return WITH_PATH(env, path, open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
#else
    return WITH_PATH(env, path, ((void) name, errno = ENOTSUP, -1));
#endif
}

/*
 * The same for the file that a socket is bound to, from the kernel itself, which reports it to processes with
 * CAP_NET_ADMIN.
 */
static jint open_bound(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
#if HAS_SOCKET_HANDLES
    return RESULT(ioctl(fd, SIOCUNIXFILE));
#else
    (void) fd;
    return -ENOTSUP;
#endif
}

#if HAS_SOCKET_HANDLES
/* Requests the device and the inode of the file that a socket of this process is bound to from sock_diag(7). */
static int find_bound(int fd, struct unix_diag_vfs *bound) {
    struct stat socket_itself;
    if (fstat(fd, &socket_itself) == -1) return -errno;
    int netlink = (int) RESULT(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (netlink < 0) return netlink;
    struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } message = {
        .header = {.nlmsg_len = sizeof(message), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
    };
    message.request = (struct unix_diag_req) {
        .sdiag_family = AF_UNIX,
        .udiag_states = ~0u,
        .udiag_ino = (__u32) socket_itself.st_ino,
        .udiag_show = UDIAG_SHOW_VFS,
        .udiag_cookie = {~0u, ~0u},
    };
    union {
        struct nlmsghdr header;
        char bytes[1024];
    } answer;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    int result =
            (int) RESULT(sendto(netlink, &message, sizeof(message), 0, (struct sockaddr *) &kernel, sizeof(kernel)));
    /* The kernel has replied by the time the request has been sent. */
    if (result >= 0) result = (int) RESULT(recv(netlink, &answer, sizeof(answer), MSG_DONTWAIT));
    close(netlink);
    if (result < 0) return result;
    if (!NLMSG_OK(&answer.header, (unsigned int) result)) return -EBADMSG;
    if (answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return -ENOTSUP;
    char *attributes = (char *) NLMSG_DATA(&answer.header) + NLMSG_ALIGN(sizeof(struct unix_diag_msg));
    struct rtattr *attribute = (struct rtattr *) attributes;
    int left = (int) (answer.header.nlmsg_len - NLMSG_LENGTH(sizeof(struct unix_diag_msg)));
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        if (attribute->rta_type == UNIX_DIAG_VFS && RTA_PAYLOAD(attribute) >= sizeof(*bound)) {
            memcpy(bound, RTA_DATA(attribute), sizeof(*bound));
            return 0;
        }
    }
    return -ENOTSUP;
}
#endif

/*
 * Whether a socket is bound to this file: 1 or 0, or a negative errno if the kernel does not report it. It reports 32
 * bits of the inode number, and the device of the file system itself, which differs from that of stat(2) on file
 * systems with several (btrfs, some overlays).
 */
static jint is_bound_to(JNIEnv *env, jclass class, jint fd, jint file) {
    (void) env, (void) class;
#if HAS_SOCKET_HANDLES
    struct stat found;
    if (fstat(file, &found) == -1) return -errno;
    struct unix_diag_vfs bound = {0};
    int error = find_bound(fd, &bound);
    if (error < 0) return error;
    if ((__u32) found.st_ino != bound.udiag_vfs_ino) return 0;
    __u32 device = (__u32) (major(found.st_dev) << 20 | minor(found.st_dev));
    return device == bound.udiag_vfs_dev ? 1 : -EXDEV;
#else
    (void) fd, (void) file;
    return -ENOTSUP;
#endif
}

/*
 * Of the file that the descriptor refers to, or of the one at the path if the descriptor is negative. Symbolic links
 * are not followed.
 */
static jint change_mode(JNIEnv *env, jclass class, jint file, jbyteArray path, jint mode) {
    (void) class;
    REQUIRE((mode & ~07777) == 0);
    if (file < 0) return WITH_PATH(env, path, fchmodat(AT_FDCWD, name, (mode_t) mode, AT_SYMLINK_NOFOLLOW));
#if HAS_SOCKET_HANDLES
    if (RETRY(syscall(SYS_fchmodat2, file, "", (mode_t) mode, AT_EMPTY_PATH)) == 0) return 0;
    char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", (int) file);
    return RESULT(chmod(link, (mode_t) mode));
#else
    return -EBADF;
#endif
}

static jint change_group(JNIEnv *env, jclass class, jint file, jbyteArray path, jint gid) {
    (void) class;
    if (file < 0) return WITH_PATH(env, path, lchown(name, (uid_t) -1, (gid_t) gid));
#if HAS_SOCKET_HANDLES
    return RESULT(fchownat(file, "", (uid_t) -1, (gid_t) gid, AT_EMPTY_PATH));
#else
    return -EBADF;
#endif
}

/* On Linux, the mode of an unbound socket, less the umask, becomes the mode of the file that bind creates. */
static jint restrict_mode(JNIEnv *env, jclass class, jint fd, jint mode) {
    (void) env, (void) class;
    REQUIRE((mode & ~07777) == 0);
#ifdef __linux__
    return RESULT(fchmod(fd, (mode_t) mode));
#else
    (void) fd;
    return 0;
#endif
}

static jint open_directory(JNIEnv *env, jclass class, jbyteArray path, jboolean reading) {
    (void) class;
    return WITH_PATH(env, path, open(name, (reading ? O_RDONLY : O_PATH) | O_DIRECTORY | O_CLOEXEC));
}

/* Takes an exclusive lock, which closing the descriptor releases. Returns -EAGAIN while another process holds it. */
static jint lock(JNIEnv *env, jclass class, jint fd) {
    (void) env, (void) class;
    int result = RESULT(flock(fd, LOCK_EX | LOCK_NB));
    return result == -EWOULDBLOCK ? -EAGAIN : result;
}

/*
 * Checks whether anybody holds the socket file, invisibly to the holder. Before anything else, a stream or seqpacket
 * socket refuses a datagram socket with EPROTOTYPE. If nobody holds the file, connect fails with ECONNREFUSED.
 */
static jint probe(JNIEnv *env, jclass class, jbyteArray name) {
    (void) class;
    struct sockaddr_un address;
    int size = nettyunix_encode_array(env, &address, name);
    if (size < 0) return size;
#ifdef SOCK_CLOEXEC
    int fd = (int) RESULT(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
#else
    int fd = (int) RESULT(socket(AF_UNIX, SOCK_DGRAM, 0));
    if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
    if (fd < 0) return fd;
    int result = RESULT(connect(fd, (struct sockaddr *) &address, (socklen_t) size));
    close(fd);
    return result;
}

/*
 * Stores the number of a group. Returns -ENOENT if no group has this name, and -ERANGE if the buffer is too small for
 * its members.
 */
static jint group_id(JNIEnv *env, jclass class, jbyteArray group, jbyteArray buffer, jintArray result) {
    (void) class;
    REQUIRE(has_room(env, buffer, 1) && has_room(env, result, 1));
    struct group entry, *found = NULL;
    jbyte *memory = (*env)->GetByteArrayElements(env, buffer, NULL);
    if (memory == NULL) return -ENOMEM;
    size_t size = (size_t) (*env)->GetArrayLength(env, buffer);
    int error = WITH_PATH(env, group, getgrnam_r(name, &entry, (char *) memory, size, &found));
    jint gid = found == NULL ? -1 : (jint) entry.gr_gid;
    (*env)->ReleaseByteArrayElements(env, buffer, memory, JNI_ABORT);
    if (found != NULL) {
        (*env)->SetIntArrayRegion(env, result, 0, 1, &gid);
        return 0;
    }
    /* A negative error comes from WITH_PATH. */
    if (error < 0) return error;
    /*
     * getgrnam_r returns a positive errno. If there is no such name, it returns 0, and on some systems ENOENT or ESRCH.
     */
    return error == 0 || error == ESRCH ? -ENOENT : -error;
}

static const JNINativeMethod methods[] = {
    NATIVE("status", "([B[J)I", status),
    NATIVE("statusOf", "(I[J)I", status_of),
    NATIVE("remove", "([B)I", remove_file),
    NATIVE("rename", "([B[BI)I", rename_file),
    NATIVE("link", "([B[B)I", link_file),
    NATIVE("open", "([B)I", open_file),
    NATIVE("openBound", "(I)I", open_bound),
    NATIVE("isBoundTo", "(II)I", is_bound_to),
    NATIVE("changeMode", "(I[BI)I", change_mode),
    NATIVE("changeGroup", "(I[BI)I", change_group),
    NATIVE("restrictMode", "(II)I", restrict_mode),
    NATIVE("openDirectory", "([BZ)I", open_directory),
    NATIVE("lock", "(I)I", lock),
    NATIVE("probe", "([B)I", probe),
    NATIVE("groupId", "([B[B[I)I", group_id),
};

const native_class nettyunix_socket_files = {
    .name = "SocketFiles",
    .methods = methods,
    .method_count = COUNT(methods),
};
