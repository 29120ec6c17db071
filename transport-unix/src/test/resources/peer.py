# What every Python peer of the tests begins with.
import array, fcntl, os, socket, struct, sys

TYPES = {"stream": socket.SOCK_STREAM, "seqpacket": socket.SOCK_SEQPACKET, "datagram": socket.SOCK_DGRAM}


def send(sock, data, fds=(), address=None):
    """Sends bytes, and descriptors with them."""
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    return sock.sendmsg([data], control, 0, *([address] if address is not None else []))


def receive(sock, size=1 << 20, fds=253):
    """Answers bytes, descriptors and flags of one recvmsg."""
    data, control, flags, sender = sock.recvmsg(size, socket.CMSG_SPACE(4 * fds), socket.MSG_CMSG_CLOEXEC)
    received = array.array("i")
    for level, kind, payload in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            received.frombytes(payload[:len(payload) - len(payload) % 4])
    return data, list(received), flags, sender
