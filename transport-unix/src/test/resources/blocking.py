# Descriptors whose close(2) does not return while this process lives.
import ctypes, tempfile

kept = []
servers = {}


def lingering():
    """Returns a TCP socket with SO_LINGER and bytes that nobody reads: its last close blocks."""
    listener = socket.create_server(("127.0.0.1", 0))
    sock = socket.create_connection(listener.getsockname())
    kept.append((listener, listener.accept()))
    sock.setblocking(False)
    try:
        while True:
            sock.send(b"x" * 65536)
    except BlockingIOError:
        pass
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 1000))
    return sock.detach()


def mount(device):
    """Mounts a file system in a mount namespace of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder = tempfile.mkdtemp()
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    try:
        if libc.unshare(0x20000) or libc.mount(b"none", b"/", None, 0x44000, None) \
                or libc.mount(b"unix", folder.encode(), b"fuse", 0, options.encode()):
            raise OSError(ctypes.get_errno(), "mount")
        return folder
    except OSError:
        os.rmdir(folder)
        raise


def attributes(mode):
    return struct.pack("<6Q10I", 2, 7, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def serve(device):
    """Answers the requests that opening a file makes, and no others: neither FLUSH nor GETATTR of the file."""
    while True:
        try:
            request = os.read(device, 1 << 18)
        except OSError:
            return
        _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
        mode = 0o40777 if node == 1 else 0o100666
        answers = {
            26: struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0),    # INIT
            1: struct.pack("<4QII", 2, 0, 0, 0, 0, 0) + attributes(0o100666),           # LOOKUP
            14: struct.pack("<QII", 1, 0, 0),                                           # OPEN
        }
        if node == 1:
            answers[3] = struct.pack("<QII", 0, 0, 0) + attributes(mode)                # GETATTR of the folder
        if opcode in answers:
            os.write(device, struct.pack("<IiQ", 16 + len(answers[opcode]), 0, unique) + answers[opcode])


def silent():
    """Returns a file of a FUSE server that no longer answers, so that close and fstat block; without FUSE, another
    descriptor whose close blocks."""
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
        folder = mount(device)
    except OSError as e:
        print("no FUSE here:", e, file=sys.stderr)
        return lingering()
    # Not a thread: a process that ends waits until its files are closed, which needs a server that still runs.
    server = os.fork()
    if server == 0:
        signal.alarm(40)
        serve(device)
        os._exit(0)
    servers[server] = folder
    os.close(device)
    return os.open(folder + "/file", os.O_RDWR)


def let_go():
    """Ends the servers, after which the kernel fails what waits for them."""
    for server, folder in servers.items():
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)
        ctypes.CDLL(None).umount2(folder.encode(), 2)       # MNT_DETACH
        os.rmdir(folder)


def blocking(kind):
    return lingering() if kind == "linger" else silent()


def give_away(sock, data, fds, peer=None):
    send(sock, data, fds, peer)
    # The last close of a lingering socket must be the receiver's. Closing a file of the silent server would block here.
    for fd in fds:
        if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
            os.close(fd)
