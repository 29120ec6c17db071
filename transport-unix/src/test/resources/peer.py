# The beginning of every Python peer of the tests.
import array, collections, errno, fcntl, os, signal, socket, struct, sys, zlib

TYPES = {"stream": socket.SOCK_STREAM, "seqpacket": socket.SOCK_SEQPACKET, "datagram": socket.SOCK_DGRAM}

SO_PASSCRED = 16
SO_PEERSEC = 31
SCM_CREDENTIALS = 2

Message = collections.namedtuple("Message", "data fds flags sender credentials")

# If anything goes wrong, the test must not wait for ever.
signal.alarm(50)


def send(sock, data, fds=(), address=None):
    """Sends bytes, and descriptors with them."""
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    return sock.sendmsg([data], control, 0, *([address] if address is not None else []))


def receive(sock, size=1 << 20, fds=253):
    """Returns the bytes, descriptors, flags and sender of one recvmsg."""
    return receive_message(sock, size, socket.CMSG_SPACE(4 * fds))[:4]


def receive_message(sock, size=1 << 20, room=socket.CMSG_SPACE(4 * 253) + socket.CMSG_SPACE(12)):
    """Returns the results of one recvmsg; the credentials (pid, uid, gid) are None if there are none."""
    data, control, flags, sender = sock.recvmsg(size, room, socket.MSG_CMSG_CLOEXEC)
    received = array.array("i")
    credentials = None
    for level, kind, payload in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            received.frombytes(payload[:len(payload) - len(payload) % 4])
        elif (level, kind) == (socket.SOL_SOCKET, SCM_CREDENTIALS):
            credentials = struct.unpack("iII", payload)
    return Message(data, list(received), flags, sender, credentials)


def open_connection():
    """
    Connects to the channel of a PeerConnection.java. Returns the socket, and the address to send to, which is None
    if the socket is connected.
    The script's own arguments are left in sys.argv[1:].
    """
    kind, role, there, here = sys.argv[1:5]
    del sys.argv[1:5]
    there, here = bytes.fromhex(there), bytes.fromhex(here)
    sock = socket.socket(socket.AF_UNIX, TYPES[kind])
    if role == "connect":
        if kind == "datagram":
            sock.bind(here)
        sock.connect(there)
        print("connected")
        return sock, None
    sock.bind(there)
    if kind == "datagram":
        print("ready")
        input()
        return sock, here
    sock.listen()
    print("ready")
    return sock.accept()[0], None


def labelled(text):
    """Returns the read end of a pipe that contains a text."""
    end, other = os.pipe()
    os.write(other, text.encode())
    os.close(other)
    return end


def label(fd):
    """Returns the text in a file."""
    return os.pread(fd, 100, 0).decode()


def close_all(fds):
    for fd in fds:
        os.close(fd)


def wait_for_end():
    """Waits until the test closes its end."""
    sys.stdin.read()
