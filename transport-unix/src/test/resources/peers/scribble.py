# A peer with shared memory that keeps to the protocol for a while, and then writes anything anywhere, as a seed says.
import random, time

MADV_REMOVE = 9
# The number of a record that no other one follows.
LAST = 0xffffffff


def pattern(number, length):
    return bytes((number + i * 7) & 0xff for i in range(min(length, 64))) * (length // 64 + 1)


def record(number, length):
    return struct.pack("=II", number, length) + pattern(number, length)[:length]


def names(number):
    """What comes with a record, in both directions."""
    return ["file %d.%d" % (number, i) for i in range(1 + number // 6 % 3)] if number % 6 == 3 else []


def send_record(connection, rng, number):
    length = rng.choice([0, 1, rng.randrange(100), rng.randrange(5000), rng.randrange(100_000)])
    fds = [os.memfd_create(name) for name in names(number)]
    connection.send(record(number, length), fds)
    for fd in fds:
        os.close(fd)
    return connection.out.position


class Inbox:
    """What has arrived. Of a write that is cancelled, nothing does, so numbers may be missing."""

    def __init__(self, connection):
        self.connection = connection
        self.next = 0
        self.missing = []
        self.ended = False

    def receive(self):
        data, fds = self.connection.receive()
        links = [os.readlink("/proc/self/fd/%d" % fd) for fd in fds]
        for fd in fds:
            os.close(fd)
        number = struct.unpack_from("=I", data)[0]
        if number == LAST:
            self.ended = True
            return
        assert number >= self.next and data == record(number, len(data) - 8), (number, self.next, data[:16])
        assert links == ["/memfd:%s (deleted)" % name for name in names(number)], (number, links)
        self.missing += range(self.next, number)
        self.next = number + 1

    def is_empty(self):
        ring = self.connection.ring
        return ring.get(TAIL) == ring.position


def somewhere(rng, value):
    return rng.choice([0, 1, 8, value + 8, value - 8, value + (1 << 16), rng.getrandbits(16), rng.getrandbits(20) & ~7,
                       rng.getrandbits(32), rng.getrandbits(64), (1 << 64) - 8])


def scribble(connection, rng):
    ring = rng.choice([connection.out, connection.ring])
    what = rng.randrange(9)
    if what == 0:
        word = rng.choice([TAIL, WAKE_AT_HEAD, HEAD, WAKE_AT_TAIL, CLOSED])
        ring.set(word, somewhere(rng, ring.get(word)))
    elif what == 1:
        length = rng.randrange(1, 5000)
        start = HEADER + rng.randrange(ring.capacity - length)
        ring.memory[start:start + length] = rng.randbytes(length)
    elif what == 2:
        header = rng.choice([rng.getrandbits(64), rng.getrandbits(10) | rng.choice([0, MORE, ATTACHMENT, PADDING, MORE | PADDING]),
                             rng.getrandbits(35), 0xffffffff])
        connection.out.put(connection.out.get(TAIL), struct.pack("=Q", header))
        connection.out.set(TAIL, connection.out.get(TAIL) + 8 * rng.randrange(1, 2000))
    elif what == 3:
        for _ in range(rng.randrange(1, 300)):
            connection.sock.send(rng.choice([b"W", b"A"]), socket.MSG_DONTWAIT)
    elif what == 4:
        fd = os.memfd_create("unannounced")
        send(connection.sock, b"A", [fd] * rng.randrange(1, 200))
        os.close(fd)
    elif what == 5:
        connection.sock.send(rng.randbytes(rng.randrange(200)), socket.MSG_DONTWAIT)
    elif what == 6:
        ring.memory.madvise(MADV_REMOVE, rng.randrange((HEADER + ring.capacity) // 4096) * 4096, 4096)
    elif what == 7:
        connection.wake()
    else:
        time.sleep(rng.random() / 100)


def run_case(address, seed):
    rng = random.Random(seed)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(address)
    connection = Connection(sock, capacity=1 << rng.randrange(16, 21))
    inbox = Inbox(connection)
    sent, ends, finished, unread = 0, [], False, False
    hostile = rng.random() < 0.5
    safe = None
    try:
        for _ in range(rng.randrange(150)):
            if rng.random() < 0.7:
                ends.append(send_record(connection, rng, sent))
                sent += 1
            elif not inbox.is_empty():
                inbox.receive()
        if hostile:
            safe = sum(end <= connection.out.get(HEAD) for end in ends)
            for _ in range(rng.randrange(1, 40)):
                scribble(connection, rng)
        elif rng.random() < 0.8:
            # Everything, up to the answer to this record.
            connection.send(struct.pack("=II", LAST, 0))
            while not inbox.ended:
                inbox.receive()
            finished = True
        else:
            unread = not inbox.is_empty()
    except (EOFError, BrokenPipeError, ConnectionResetError, BlockingIOError):
        pass
    print("sent", sent if safe is None else safe, int(hostile), int(finished), int(unread), inbox.next,
          ",".join(map(str, inbox.missing)) or "-")
    if rng.random() < 0.3:
        os.kill(os.getpid(), signal.SIGKILL)


def stuck(number, frame):
    raise AssertionError("it waits for ever")


signal.alarm(0)
signal.signal(signal.SIGALRM, stuck)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            run_case(address, int(line))
        except BaseException:
            import traceback
            traceback.print_exc()
            print("sent -1 1 0 0 0 -")
        os._exit(0)
    print("ended with status", os.waitpid(child, 0)[1])
