"""Sends COUNT calls with two descriptors each to itself, through a bus: what comes back is what was sent."""
import array
import os
import socket
import struct
import sys

ADDRESS, COUNT = sys.argv[1], int(sys.argv[2])
bus = socket.socket(socket.AF_UNIX)
bus.settimeout(30)
bus.connect(ADDRESS)
received = b''
arrived = []


def more():
    global received
    data, control, flags, _ = bus.recvmsg(4096, socket.CMSG_LEN(253 * 4), socket.MSG_CMSG_CLOEXEC)
    assert data and not flags & socket.MSG_CTRUNC
    received += data
    for _, _, content in control:
        fds = array.array('i')
        fds.frombytes(content)
        arrived.extend(fds)


def auth(line):
    global received
    bus.send(line)
    while b'\r\n' not in received:
        more()
    answer, received = received.split(b'\r\n', 1)
    return answer


def padded(data, size):
    return data + bytes(-len(data) % size)


def field(code, kind, value):
    text = struct.pack('<B', len(value)) if kind == b'g' else struct.pack('<I', len(value))
    content = value if kind == b'u' else text + value + b'\0'
    return struct.pack('<BB', code, 1) + kind + b'\0' + content


def call(serial, destination, member, signature=b'', body=b'', count=0):
    fields = b''
    for code, kind, value in ((1, b'o', b'/'), (2, b's', b'org.freedesktop.DBus'), (3, b's', member), (6, b's', destination),
                              (8, b'g', signature), (9, b'u', struct.pack('<I', count))):
        fields = padded(fields, 8) + field(code, kind, value)
    return padded(struct.pack('<cBBBIII', b'l', 1, 0, 1, len(body), serial, len(fields)) + fields, 8) + body


def receive():
    """Returns the member or error, the body and the descriptors of the next message."""
    global received
    while len(received) < 16:
        more()
    _, kind, _, _, body, _, fields = struct.unpack('<cBBBIII', received[:16])
    start = 16 + fields + -fields % 8
    while len(received) < start + body:
        more()
    header, content, received = received[16:start], received[start:start + body], received[start + body:]
    at = header.find(b'\x09\x01u\0')
    count = struct.unpack('<I', header[at + 4:at + 8])[0] if at >= 0 else 0
    fds = [arrived.pop(0) for _ in range(count)]
    return kind, content, fds


print(auth(b'\0AUTH EXTERNAL %s\r\n' % str(os.getuid()).encode().hex().encode()).split()[0].decode())
print(auth(b'NEGOTIATE_UNIX_FD\r\n').decode())
bus.send(b'BEGIN\r\n')
bus.send(call(1, b'org.freedesktop.DBus', b'Hello'))
kind, content, _ = receive()
assert kind == 2, (kind, content)
me = content[4:-1]
if receive()[0] != 4:
    raise AssertionError('no NameAcquired')
for serial in range(2, COUNT + 2):
    fds = []
    for name in (b'one', b'two'):
        fds.append(os.memfd_create('dbus'))
        os.write(fds[-1], b'%s of %d' % (name, serial))
    bus.sendmsg([call(serial, me, b'Keep', b'hh', struct.pack('<II', 0, 1), 2)],
                [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))])
    kind, content, back = receive()
    assert kind == 1 and struct.unpack('<II', content) == (0, 1), (kind, content)
    assert [os.pread(fd, 100, 0) for fd in back] == [b'%s of %d' % (name, serial) for name in (b'one', b'two')]
    for fd in fds + back:
        os.close(fd)
assert not arrived
print('calls', COUNT)
