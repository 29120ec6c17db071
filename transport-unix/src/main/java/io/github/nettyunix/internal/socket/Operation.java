package io.github.nettyunix.internal.socket;

/** An operation that can fail with an errno: most are system calls. Its text begins the message of the exception. */
public enum Operation {
    ACCEPT("accept"),
    ACTIVATE("activate"),
    ADOPT("adopt"),
    BIND("bind"),
    CLOSE("close"),
    CONNECT("connect"),
    DISCONNECT("disconnect"),
    DUP("dup"),
    EPOLL_CTL("epoll_ctl"),
    EVENTFD("eventfd"),
    FTRUNCATE("ftruncate"),
    GETGRNAM("getgrnam"),
    GETSOCKNAME("getsockname"),
    GETSOCKOPT("getsockopt"),
    IO_URING_ENTER("io_uring_enter"),
    KEVENT("kevent"),
    LISTEN("listen"),
    MEMFD_CREATE("memfd_create"),
    MMAP("mmap"),
    OPEN("open"),
    READ("read"),
    SEAL("seal"),
    SEALS("seals"),
    SEEK("seek"),
    SETSOCKOPT("setsockopt"),
    SET_BLOCKING("setBlocking"),
    SHUTDOWN("shutdown"),
    SIGNAL("signal"),
    SIZE("size"),
    SOCKET("socket"),
    SOCKETPAIR("socketpair"),
    START("start"),
    TO_FILE_CHANNEL("toFileChannel"),
    TYPE("type"),
    WAIT("wait"),
    WATCH("watch"),
    WRITE("write");

    private final String text;

    Operation(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
