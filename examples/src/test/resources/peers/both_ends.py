"""What the scripts at both ends of a proxy have in common."""
import array
import os
import socket
import sys

KIND, LISTEN, UPSTREAM = sys.argv[1:4]
TYPE = {'stream': socket.SOCK_STREAM, 'seqpacket': socket.SOCK_SEQPACKET, 'datagram': socket.SOCK_DGRAM}[KIND]
TIMEOUT = 30


def new(bound_to=None, connected_to=None):
    s = socket.socket(socket.AF_UNIX, TYPE)
    s.settimeout(TIMEOUT)
    if bound_to:
        s.bind(bound_to)
    if connected_to:
        s.connect(connected_to)
    return s


def listen():
    server = new(UPSTREAM)
    server.listen(10)
    return server


def pair(server):
    """Returns a client of the proxy, and the connection that the upstream sees."""
    client = new(connected_to=LISTEN)
    accepted = server.accept()[0]
    accepted.settimeout(TIMEOUT)
    return client, accepted


def read_all(s):
    parts = []
    while part := s.recv(1 << 20):
        parts.append(part)
    return b''.join(parts)


def send(s, data, fds, *address):
    s.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else [], 0, *address)


def receive(s, length):
    data, control, flags, sender = s.recvmsg(length, socket.CMSG_LEN(253 * 4), socket.MSG_CMSG_CLOEXEC)
    assert not flags & (socket.MSG_CTRUNC | socket.MSG_TRUNC), flags
    fds = array.array('i')
    for _, _, content in control:
        fds.frombytes(content)
    return data, list(fds), sender


def fails(call, *errors):
    try:
        call()
    except errors:
        return True
    return False
