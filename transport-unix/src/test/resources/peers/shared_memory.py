# The other implementation of the rings of shared memory, for the tests; docs/shared-memory.md describes the protocol.
import mmap, threading

HEADER = 1 << 16
TAIL, WAKE_AT_HEAD, HEAD, WAKE_AT_TAIL, CLOSED = 0, 8, 128, 136, 144
MORE, ATTACHMENT, PADDING = 1 << 32, 1 << 33, 1 << 34
MAGIC, VERSION, HELLO, ACCEPT, REFUSE = 0x4d53554e, 1, 1, 2, 3
F_ADD_SEALS, F_GET_SEALS, SEALS = 1033, 1034, 1 | 2 | 4
MASK = (1 << 64) - 1
fence_lock = threading.Lock()


def fence():
    """An atomic instruction, which orders the store before it and the load after it."""
    with fence_lock:
        pass


def reaches(wake_at, before, after):
    return ((after - wake_at) & MASK) < ((after - before) & MASK)


class Ring:
    def __init__(self, fd, capacity):
        self.capacity = capacity
        self.memory = mmap.mmap(fd, HEADER + capacity)
        # Unlike struct, it reads and writes a word at once.
        self.words = memoryview(self.memory).cast("Q")
        self.position = 0
        os.close(fd)

    def get(self, offset):
        return self.words[offset // 8]

    def set(self, offset, value):
        self.words[offset // 8] = value & MASK

    def bytes(self, position, length):
        start = position % self.capacity
        first = self.memory[HEADER + start:HEADER + min(start + length, self.capacity)]
        return first + self.memory[HEADER:HEADER + length - len(first)]

    def put(self, position, data):
        start = position % self.capacity
        first = data[:self.capacity - start]
        self.memory[HEADER + start:HEADER + start + len(first)] = first
        self.memory[HEADER:HEADER + len(data) - len(first)] = data[len(first):]


def new_ring_file(capacity, seals=SEALS, size=None):
    fd = os.memfd_create("ring", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    os.ftruncate(fd, HEADER + capacity if size is None else size)
    fcntl.fcntl(fd, F_ADD_SEALS, seals)
    return fd


def handshake(kind, capacity):
    return struct.pack("=IHHQ", MAGIC, VERSION, kind, capacity)


class Connection:
    """A connection whose socket is connected already."""

    def __init__(self, sock, server=False, capacity=1 << 16):
        self.sock = sock
        mine = new_ring_file(capacity)
        out = os.dup(mine)
        if server:
            self.accept_ring()
        send(sock, handshake(ACCEPT if server else HELLO, capacity), [mine])
        os.close(mine)
        if not server:
            self.accept_ring()
        self.out = Ring(out, capacity)
        self.attachments = collections.deque()
        self.ended = False

    def accept_ring(self):
        data, fds = receive(self.sock)[:2]
        if len(data) < 16:
            raise EOFError
        magic, version, kind, capacity = struct.unpack_from("=IHHQ", data)
        if kind == REFUSE:
            raise ConnectionRefusedError(data[16:].decode())
        assert (magic, version, len(fds)) == (MAGIC, VERSION, 1), (data, fds)
        assert fcntl.fcntl(fds[0], F_GET_SEALS) & SEALS == SEALS
        assert os.fstat(fds[0]).st_size == HEADER + capacity
        self.ring = Ring(fds[0], capacity)

    def wait(self):
        """Receives one record of the socket."""
        try:
            data, fds = receive(self.sock)[:2]
        except ConnectionResetError:
            data = b""
        if data == b"A":
            self.attachments.append(fds)
        else:
            assert data in (b"W", b""), data
            self.ended = data == b""

    def wake(self):
        try:
            self.sock.send(b"W", socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self.ended = True

    def send_piece(self, data, flags):
        space = (8 + len(data) + 7) & ~7
        while self.out.capacity - (self.out.position - self.out.get(HEAD)) < space:
            self.out.set(WAKE_AT_HEAD, self.out.position + space - self.out.capacity)
            fence()
            if self.out.capacity - (self.out.position - self.out.get(HEAD)) < space:
                if self.ended:
                    raise BrokenPipeError
                self.wait()
        before = self.out.position
        self.out.put(before, struct.pack("=Q", len(data) | flags) + data)
        self.out.position += space
        self.out.set(TAIL, self.out.position)
        fence()
        if reaches(self.out.get(WAKE_AT_TAIL), before, self.out.position):
            self.wake()

    def send(self, data, fds=()):
        flags = 0
        if fds:
            send(self.sock, b"A", fds)
            flags = ATTACHMENT
        longest = self.out.capacity // 4 - 8
        for start in range(0, max(len(data), 1), longest):
            last = start + longest >= len(data)
            self.send_piece(data[start:start + longest], flags | (0 if last else MORE))
            flags = 0

    def next_piece(self):
        while True:
            tail = self.ring.get(TAIL)
            if tail != self.ring.position:
                break
            if self.ended:
                raise EOFError
            self.ring.set(WAKE_AT_TAIL, tail + 1)
            fence()
            if self.ring.get(TAIL) == tail:
                self.wait()
        header = struct.unpack("=Q", self.ring.bytes(self.ring.position, 8))[0]
        length = header & 0xffffffff
        data = self.ring.bytes(self.ring.position + 8, length)
        before = self.ring.position
        self.ring.position += (8 + length + 7) & ~7
        self.ring.set(HEAD, self.ring.position)
        fence()
        if reaches(self.ring.get(WAKE_AT_HEAD), before, self.ring.position):
            self.wake()
        return data, header

    def receive(self):
        """Returns the bytes and descriptors of the next record."""
        record, fds, more = b"", [], True
        while more:
            data, header = self.next_piece()
            if header & PADDING:
                continue
            if header & ATTACHMENT:
                while not self.attachments:
                    ended = self.ended
                    self.wait()
                    # A reset is reported once, and before what is left.
                    assert self.attachments or not (ended and self.ended), "a record's descriptors are missing"
                fds = self.attachments.popleft()
            record += data
            more = header & MORE
        return record, fds
