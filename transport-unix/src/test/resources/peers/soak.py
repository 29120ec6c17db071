# The peers of the runs in soak/, behind peer.py and shared_memory.py. Message n brings file n modulo FILES, whose size
# is that number.
import random, select, traceback

FILES = 16
SIZE = 64
MESSAGE = struct.Struct("<iii")
# How many messages without an answer a peer sends at most.
AHEAD = 4

# Runs take as long as they take; this is for those that hang.
signal.alarm(3600)


def new_files():
    """Returns files by size. One without bytes is a socket, since not all descriptors are closed in the same way."""
    files = [socket.socket(socket.AF_UNIX).detach()]
    for size in range(1, FILES):
        # Of a file that may be sealed, its size is found with fewer system calls.
        files.append(os.memfd_create("soak", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
        os.ftruncate(files[size], size)
    return files


def message(index, number):
    """Returns the bytes of message `number` of peer `index`."""
    return MESSAGE.pack(index, number, os.getpid()) + bytes([number & 255]) * (SIZE - MESSAGE.size)


class Memory(Connection):
    """A connection with shared memory that is used like a socket."""

    def fileno(self):
        return self.sock.fileno()

    def setblocking(self, flag):
        self.sock.setblocking(flag)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Closing while a wake-up is unread would reset the connection.
        self.sock.shutdown(socket.SHUT_WR)
        while not self.ended:
            self.wait()
        self.close()

    def receive(self):
        """Returns what the function of the same name does for a socket."""
        try:
            return *super().receive(), 0, None
        except EOFError:
            return b"", [], 0, None


def new_socket(kind):
    return socket.socket(socket.AF_UNIX, TYPES.get(kind, socket.SOCK_SEQPACKET))


def connect(kind, address):
    sock = new_socket(kind)
    if kind == "datagram":
        # A name that the kernel chooses, so that answers arrive.
        sock.bind(b"")
    sock.connect(bytes.fromhex(address))
    return Memory(sock) if kind == "shared memory" else sock


class Outgoing:
    def __init__(self, sock, files, index=0):
        self.sock, self.files, self.index, self.number = sock, files, index, 0

    def send(self):
        data, fds = message(self.index, self.number), [self.files[self.number % FILES]]
        if isinstance(self.sock, Memory):
            self.sock.send(data, fds)
        else:
            send(self.sock, data, fds)
        self.number += 1


class Incoming:
    """Checks that what arrives is message after message, each with its file."""

    def __init__(self, sock):
        self.sock, self.number, self.sender = sock, 0, None

    def receive(self):
        """Receives a message; returns False at the end of the stream."""
        data, fds, flags, self.sender = self.sock.receive() if isinstance(self.sock, Memory) \
            else receive(self.sock, SIZE, FILES)
        if not data and not fds:
            return False
        found = MESSAGE.unpack_from(data)[1], data[MESSAGE.size:], [os.fstat(fd).st_size for fd in fds]
        close_all(fds)
        assert found == (self.number, bytes([self.number & 255]) * (SIZE - MESSAGE.size), [self.number % FILES]), \
            (self.number, found, flags)
        self.number += 1
        return True

    def receive_all(self):
        """Receives what has arrived. The socket does not block."""
        try:
            while self.receive():
                pass
        except BlockingIOError:
            pass


def usage():
    """Returns how many descriptors are open, how much is mapped, and how many kilobytes of memory are in use."""
    with open("/proc/self/maps") as maps:
        mappings = len(maps.readlines())
    with open("/proc/self/statm") as statm:
        memory = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
    return f"{len(os.listdir('/proc/self/fd'))} {mappings} {memory}"


def be_killed(kind, address, count, together):
    """
    Starts processes that send and receive until they are killed. Of each it prints the index, how many messages it is
    certain to have sent, and the signal that has ended it.
    """
    count, together = int(count), int(together)
    # A number is written at once; struct would first write 0, which is then what is left of a process that was killed.
    sent = memoryview(mmap.mmap(-1, 4 * count)).cast("i")
    files = new_files()
    parent = os.getpid()
    children = {}
    begun = 0
    while begun < count or children:
        while begun < count and len(children) < together:
            pid = os.fork()
            if pid == 0:
                try:
                    send_until_killed(connect(kind, address), files, begun, sent, parent)
                except BaseException:
                    traceback.print_exc()
                os._exit(1)
            children[pid] = begun
            begun += 1
        pid, status = os.wait()
        index = children.pop(pid)
        print(index, sent[index], os.WTERMSIG(status))


def send_until_killed(sock, files, index, sent, parent):
    outgoing = Outgoing(sock, files, index)
    incoming = Incoming(sock)
    # If the run has failed, nobody kills this process.
    while os.getppid() == parent:
        sock.setblocking(True)
        for _ in range(random.randrange(2 * AHEAD)):
            if outgoing.number - incoming.number < 4 * AHEAD:
                outgoing.send()
                sent[index] = outgoing.number
        sock.setblocking(False)
        incoming.receive_all()


class Survivor:
    """A connection whose server is killed."""

    def __init__(self, kind, address, files, index):
        self.kind = kind
        self.sock = connect(kind, address)
        self.outgoing = Outgoing(self.sock, files, index)
        self.incoming = Incoming(self.sock)
        self.sock.setblocking(False)
        # Unread answers to all datagram sockets count against one send buffer.
        self.ahead = 1 if kind == "datagram" else AHEAD
        # The server is killed when all have received so many.
        self.enough = random.randrange(1, 6)

    def exchange(self):
        self.incoming.receive_all()
        try:
            while self.outgoing.number - self.incoming.number < self.ahead:
                self.outgoing.send()
        except BlockingIOError:
            pass

    def receive_the_rest(self):
        """Receives what the server had sent; it is gone."""
        try:
            while self.incoming.receive():
                pass
        except ConnectionResetError:
            pass
        except BlockingIOError:
            # There is no end of datagrams.
            assert self.kind == "datagram"
        try:
            self.outgoing.send()
            raise AssertionError("the server is still there")
        except (BrokenPipeError, ConnectionResetError, ConnectionRefusedError):
            pass
        self.sock.close()


def end_of(pid):
    """Kills a process, and returns when all that it had open is closed."""
    process = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    poll = select.poll()
    poll.register(process, select.POLLIN)
    poll.poll()
    os.close(process)


def outlive(*kinds_and_addresses):
    """
    For each server, whose process id and number of connections are a line of input: has these connections of each
    kind, and kills the server while all of them are in use. Prints how many messages have arrived, and what this
    process uses afterwards.
    """
    servers = [(name.lower().replace("_", " "), address)
               for name, address in zip(kinds_and_addresses[::2], kinds_and_addresses[1::2])]
    files = new_files()
    for line in sys.stdin:
        pid, count = map(int, line.split())
        survivors = {}
        with select.epoll() as poll:
            for kind, address in servers * count:
                survivor = Survivor(kind, address, files, len(survivors))
                survivors[survivor.sock.fileno()] = survivor
                poll.register(survivor.sock, select.EPOLLIN | select.EPOLLOUT)
            waiting = set(survivors.values())
            while waiting:
                for fd, _ in poll.poll():
                    survivors[fd].exchange()
                waiting = {each for each in waiting if each.incoming.number < each.enough}
            end_of(pid)
        for survivor in survivors.values():
            survivor.receive_the_rest()
        print(sum(each.incoming.number for each in survivors.values()), usage())


def come_and_go(kind, address, count):
    """Connects, exchanges a message with the server and closes the connection, again and again."""
    files = new_files()
    for _ in range(int(count)):
        with connect(kind, address) as sock:
            Outgoing(sock, files).send()
            assert Incoming(sock).receive()
    print("done")


def serve(kind, address, count):
    """The other side of the same."""
    files = new_files()
    listener = new_socket(kind)
    listener.bind(bytes.fromhex(address))
    if kind != "datagram":
        listener.listen(64)
    print("ready")
    for _ in range(int(count)):
        if kind == "datagram":
            incoming = Incoming(listener)
            assert incoming.receive()
            send(listener, message(0, 0), [files[0]], incoming.sender)
            continue
        sock, _ = listener.accept()
        with Memory(sock, server=True) if kind == "shared memory" else sock as sock:
            incoming = Incoming(sock)
            assert incoming.receive()
            Outgoing(sock, files).send()
            assert not incoming.receive()
    listener.close()
    os.unlink(bytes.fromhex(address))
    print("done")


def crowd(kind, address, count):
    """Is connected many times over at once, and exchanges a message on each connection."""
    files = new_files()
    sockets = [connect(kind, address) for _ in range(int(count))]
    for sock in sockets:
        Outgoing(sock, files).send()
    for sock in sockets:
        assert Incoming(sock).receive()
    print("open")
    input()


def send_all(kind, address, count):
    outgoing = Outgoing(connect(kind, address), new_files())
    for _ in range(int(count)):
        outgoing.send()
    print("done")


def receive_all(kind, address, count):
    """Asks for messages, and receives them."""
    sock = connect(kind, address)
    Outgoing(sock, new_files()).send()
    incoming = Incoming(sock)
    for _ in range(int(count)):
        assert incoming.receive()
    print("done")
