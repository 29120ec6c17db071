/*
 * kqueue(2) on Linux, for tests: implements the native methods of io.netty.channel.kqueue, so that Netty's own
 * KQueueIoHandler drives our channels. It is an emulation, and no substitute for a run on a BSD.
 *
 * It works as the BSDs do internally. A filter on a descriptor is a knote. When something happens to the descriptor,
 * as edge-triggered epoll reports, its knotes become active. A wait examines the active ones, reports those whose
 * condition holds, and leaves them active for the next wait unless they have EV_CLEAR. Closing a descriptor removes its
 * knotes.
 */
#include <errno.h>
#include <jni.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NATIVE(type, class, name) JNIEXPORT type JNICALL Java_io_netty_channel_kqueue_##class##_##name
#define CONSTANT(type, class, name, value) \
    NATIVE(type, class, name)(JNIEnv * env, jclass c) { \
        (void) env, (void) c; \
        return (type) (value); \
    }

/* sys/event.h as FreeBSD has it. */
enum { EVFILT_READ = -1, EVFILT_WRITE = -2, EVFILT_USER = -11 };
enum { EV_ADD = 1, EV_DELETE = 2, EV_ENABLE = 4, EV_DISABLE = 8, EV_CLEAR = 0x20, EV_ERROR = 0x4000, EV_EOF = 0x8000 };

struct kevent {
    uint64_t ident;
    int16_t filter;
    uint16_t flags;
    uint32_t fflags;
    int64_t data;
    uint64_t udata;
};

enum { READ, WRITE, FILTERS };          /* EVFILT_READ and EVFILT_WRITE are -1 - these */

typedef struct {
    int exists, active, clear;
    uint64_t udata;
} knote;

typedef struct {
    ino_t inode;                        /* of the socket that the knotes belong to, since its number may be reused */
    uint32_t generation;                /* tells epoll's events on it from those on an earlier owner of the number */
    int queued;
    knote notes[FILTERS];
} descriptor;

/* A kqueue is an epoll set, which is closed like any descriptor, and this, which is kept until the number is reused. */
typedef struct {
    descriptor *descriptors; /* by number */
    int capacity;
    int *queue; /* the numbers of those with active knotes */
    int queued;
    int user_event;
} kqueue;

static kqueue *kqueues[1 << 16]; /* by the epoll set's number */
static uint32_t generations;
static int always_ready; /* an eventfd that is readable for ever */
static const uint64_t user_event = UINT64_MAX;

static descriptor *lookup(kqueue *q, int fd) {
    if (fd >= q->capacity) {
        int capacity = 2 * fd + 64;
        q->descriptors = realloc(q->descriptors, (size_t) capacity * sizeof(descriptor));
        q->queue = realloc(q->queue, (size_t) capacity * sizeof(int));
        memset(q->descriptors + q->capacity, 0, (size_t) (capacity - q->capacity) * sizeof(descriptor));
        q->capacity = capacity;
    }
    return &q->descriptors[fd];
}

static void activate(kqueue *q, int fd) {
    descriptor *d = &q->descriptors[fd];
    for (int f = 0; f < FILTERS; f++) d->notes[f].active = d->notes[f].exists;
    if (!d->queued) {
        d->queued = 1;
        q->queue[q->queued++] = fd;
    }
}

/* Answers an errno. */
static int change(kqueue *q, int set, const struct kevent *wanted) {
    int fd = (int) wanted->ident;
    int filter = -1 - wanted->filter;
    struct stat file;
    if (fd < 0 || filter < 0 || filter >= FILTERS || (wanted->flags & (EV_ADD | EV_DELETE)) == 0) return EINVAL;
    descriptor *d = lookup(q, fd);
    if (fstat(fd, &file) == -1) {
        /* The next owner of the number may have the same inode, as all eventfds have. */
        memset(d->notes, 0, sizeof(d->notes));
        return EBADF;
    }
    if (d->inode != file.st_ino) memset(d->notes, 0, sizeof(d->notes));
    knote *note = &d->notes[filter];
    if (wanted->flags & EV_ADD) {
        if (!d->notes[READ].exists && !d->notes[WRITE].exists) {
            d->inode = file.st_ino;
            d->generation = __atomic_add_fetch(&generations, 1, __ATOMIC_RELAXED) & INT32_MAX;
            struct epoll_event all = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                .data.u64 = (uint64_t) d->generation << 32 | (uint32_t) fd};
            if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &all) == -1 && epoll_ctl(set, EPOLL_CTL_MOD, fd, &all) == -1)
                return errno;
        }
        /* A knote that exists does not change its ways. */
        if (!note->exists) *note = (knote) {.exists = 1, .clear = (wanted->flags & EV_CLEAR) != 0};
        note->udata = wanted->udata;
        activate(q, fd);
    } else {
        if (!note->exists) return ENOENT;
        *note = (knote) {.exists = 0};
        if (!d->notes[READ].exists && !d->notes[WRITE].exists) epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
    }
    return 0;
}

/* Whether the knote's condition holds, as a BSD sees it. */
static int holds(int fd, int filter, struct kevent *event) {
    struct pollfd now = {.fd = fd, .events = filter == READ ? POLLIN | POLLRDHUP : POLLOUT};
    if (poll(&now, 1, 0) <= 0) return 0;
    if ((now.revents & POLLHUP) != 0 && (now.revents & POLLRDHUP) == 0) {
        /* Linux also reports POLLHUP for sockets that were never connected. Those shut down have POLLRDHUP too. */
        struct sockaddr_storage peer;
        socklen_t length = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *) &peer, &length) == -1 && errno == ENOTCONN) return 0;
    }
    int pending = 0;
    if (filter == READ && ioctl(fd, FIONREAD, &pending) == -1) pending = 1; /* it listens */
    event->data = pending;
    if (now.revents & (filter == READ ? POLLRDHUP | POLLHUP : POLLHUP)) event->flags |= EV_EOF;
    return 1;
}

/* Reports the active knotes whose conditions hold. */
static int scan(kqueue *q, struct kevent *events, int capacity) {
    int count = 0, kept = 0;
    if (q->user_event && capacity > 0) {
        q->user_event = 0;
        events[count++] = (struct kevent) {.filter = EVFILT_USER, .flags = EV_CLEAR};
    }
    for (int i = 0; i < q->queued; i++) {
        int fd = q->queue[i];
        descriptor *d = &q->descriptors[fd];
        struct stat file;
        if (fstat(fd, &file) == -1 || file.st_ino != d->inode) memset(d->notes, 0, sizeof(d->notes));
        for (int f = 0; f < FILTERS && count < capacity; f++) {
            knote *note = &d->notes[f];
            if (!note->active) continue;
            events[count] = (struct kevent) {.ident = (uint64_t) fd,
                .filter = (int16_t) (-1 - f),
                .udata = note->udata,
                .flags = note->clear ? EV_CLEAR : 0};
            int reported = holds(fd, f, &events[count]);
            count += reported;
            note->active = reported && !note->clear;
        }
        d->queued = d->notes[READ].active || d->notes[WRITE].active;
        if (d->queued) q->queue[kept++] = fd;
    }
    q->queued = kept;
    return count;
}

/* Learns what has happened. */
static int await(kqueue *q, int set, int millis) {
    struct epoll_event edges[256];
    int count = epoll_wait(set, edges, 256, millis);
    if (count == -1) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        uint32_t fd = (uint32_t) edges[i].data.u64;
        if (edges[i].data.u64 == user_event) {
            q->user_event = 1;
        } else if (q->descriptors[fd].generation == edges[i].data.u64 >> 32) {
            activate(q, (int) fd);
        }
    }
    return 0;
}

static int64_t now_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

NATIVE(jint, Native, keventWait)(JNIEnv *env, jclass class, jint set, jlong change_list, jint changes, jlong event_list,
        jint capacity, jint seconds, jint nanos) {
    (void) env, (void) class;
    kqueue *q = kqueues[set];
    const struct kevent *wanted = (const void *) (intptr_t) change_list;
    struct kevent *events = (void *) (intptr_t) event_list;
    int errors = 0;
    for (int i = 0; i < changes; i++) {
        int error = change(q, set, &wanted[i]);
        if (error != 0 && errors < capacity) {
            events[errors] = wanted[i];
            events[errors].flags = EV_ERROR;
            events[errors++].data = error;
        }
    }
    if (errors > 0) return errors;
    int64_t deadline = now_nanos() + seconds * INT64_C(1000000000) + nanos;
    int result = await(q, set, 0);
    while (result == 0 && (result = scan(q, events, capacity)) == 0) {
        int64_t left = deadline - now_nanos();
        if (left <= 0) break;
        result = await(q, set, (int) ((left + 999999) / 1000000));
    }
    return result;
}

NATIVE(jint, Native, kqueueCreate)(JNIEnv *env, jclass class) {
    (void) env, (void) class;
    int set = epoll_create1(EPOLL_CLOEXEC);
    if (set == -1) return -errno;
    kqueue *q = kqueues[set];
    if (q == NULL) q = malloc(sizeof(kqueue));
    else free(q->descriptors), free(q->queue);
    if (q == NULL) {
        close(set);
        return -ENOMEM;
    }
    *q = (kqueue) {.capacity = 0};
    kqueues[set] = q;
    return set;
}

static jint user(int set, int operation, uint32_t events) {
    struct epoll_event event = {.events = events | EPOLLONESHOT, .data.u64 = user_event};
    return epoll_ctl(set, operation, always_ready, &event) == -1 ? -errno : 0;
}

NATIVE(jint, Native, keventAddUserEvent)(JNIEnv *env, jclass class, jint set, jint ident) {
    (void) env, (void) class, (void) ident;
    return user(set, EPOLL_CTL_ADD, 0);
}

NATIVE(jint, Native, keventTriggerUserEvent)(JNIEnv *env, jclass class, jint set, jint ident) {
    (void) env, (void) class, (void) ident;
    return user(set, EPOLL_CTL_MOD, EPOLLIN);
}

NATIVE(void, KQueueEventArray, evSet)(JNIEnv *env, jclass class, jlong address, jint ident, jshort filter, jshort flags,
        jint fflags, jlong data, jlong udata) {
    (void) env, (void) class;
    *(struct kevent *) (intptr_t) address = (struct kevent) {.ident = (uint64_t) ident,
        .filter = filter,
        .flags = (uint16_t) flags,
        .fflags = (uint32_t) fflags,
        .data = data,
        .udata = (uint64_t) udata};
}

/* The natives of io.netty.channel.unix are those of Netty's epoll library, which has been loaded before. */
CONSTANT(jint, Native, registerUnix, 0)

CONSTANT(jint, Native, sizeofKEvent, sizeof(struct kevent))
CONSTANT(jint, Native, offsetofKEventIdent, offsetof(struct kevent, ident))
CONSTANT(jint, Native, offsetofKEventFlags, offsetof(struct kevent, flags))
CONSTANT(jint, Native, offsetofKEventFFlags, offsetof(struct kevent, fflags))
CONSTANT(jint, Native, offsetofKEventFilter, offsetof(struct kevent, filter))
CONSTANT(jint, Native, offsetofKeventData, offsetof(struct kevent, data))
CONSTANT(jint, Native, offsetofKeventUdata, offsetof(struct kevent, udata))

CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, evAdd, EV_ADD)
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, evEnable, EV_ENABLE)
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, evDisable, EV_DISABLE)
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, evDelete, EV_DELETE)
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, evClear, EV_CLEAR)
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, evEOF, EV_EOF)
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, evError, EV_ERROR)
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, evfiltRead, EVFILT_READ)
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, evfiltWrite, EVFILT_WRITE)
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, evfiltUser, EVFILT_USER)
/* FreeBSD has none of these. */
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, evfiltSock, 0)
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, noteReadClosed, 0)
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, noteConnReset, 0)
CONSTANT(jshort, KQueueStaticallyReferencedJniMethods, noteDisconnected, 0)
CONSTANT(jint, KQueueStaticallyReferencedJniMethods, connectResumeOnReadWrite, 0)
CONSTANT(jint, KQueueStaticallyReferencedJniMethods, connectDataIdempotent, 0)
CONSTANT(jint, KQueueStaticallyReferencedJniMethods, fastOpenClient, 0)
CONSTANT(jint, KQueueStaticallyReferencedJniMethods, fastOpenServer, 0)

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved) {
    (void) vm, (void) reserved;
    always_ready = eventfd(1, EFD_CLOEXEC);
    return always_ready == -1 ? JNI_ERR : JNI_VERSION_1_8;
}
