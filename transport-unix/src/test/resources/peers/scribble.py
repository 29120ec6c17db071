# A peer with shared memory that keeps to the protocol for a while, and then writes anything anywhere, as a seed says.
import random, time

MADV_REMOVE = 9


def pattern(number, length):
    return bytes((number + i * 7) & 0xff for i in range(min(length, 64))) * (length // 64 + 1)


def record(number, length):
    return struct.pack("=II", number, length) + pattern(number, length)[:length]


def send_record(connection, rng, number):
    length = rng.choice([0, 1, rng.randrange(100), rng.randrange(5000), rng.randrange(100_000)])
    fds = [os.memfd_create("file %d" % number) for _ in range(rng.randrange(1, 4))] if rng.random() < 0.1 else []
    connection.send(record(number, length), fds)
    for fd in fds:
        os.close(fd)
    return connection.out.position


def receive_record(connection, number):
    data, fds = connection.receive()
    for fd in fds:
        os.close(fd)
    assert data == record(number, len(data) - 8), (number, data[:16])


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
    sent, received, hostile, ends = 0, 0, rng.random() < 0.7, []
    safe = None
    try:
        for _ in range(rng.randrange(150)):
            if rng.random() < 0.7:
                ends.append(send_record(connection, rng, sent))
                sent += 1
            elif connection.ring.get(TAIL) != connection.ring.position:
                receive_record(connection, received)
                received += 1
        if hostile:
            safe = sum(end <= connection.out.get(HEAD) for end in ends)
            for _ in range(rng.randrange(1, 40)):
                scribble(connection, rng)
        elif rng.random() < 0.5:
            # Everything that it gets until the other side has nothing more to say for a while.
            sock.settimeout(0.05)
            while True:
                receive_record(connection, received)
                received += 1
    except (EOFError, BrokenPipeError, ConnectionResetError, BlockingIOError, TimeoutError):
        pass
    print("sent", sent if safe is None else safe, int(hostile))
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
            print("sent", -1, 1)
        os._exit(0)
    print("ended with status", os.waitpid(child, 0)[1])
