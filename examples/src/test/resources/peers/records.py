"""Records of all lengths, there and back: empty ones, and longer ones than a socket takes by default."""
from both_ends import *

if KIND == 'datagram':
    server = new(UPSTREAM)
    client = new(LISTEN + '.client', LISTEN)
else:
    client, server = pair(listen())
for s in client, server:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
longest = client.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - 32
lengths = [0, 1, 0, 0, 100, 4097, 100000, longest, 0, 212960, 5]
for length in lengths:
    record = os.urandom(length)
    send(client, record, [0] if length % 2 else [])
    data, fds, sender = receive(server, 4 << 20)
    assert data == record and len(fds) == length % 2, (len(data), length, fds)
    send(server, data, fds, *([sender] if KIND == 'datagram' else []))
    data, fds, _ = receive(client, 4 << 20)
    assert data == record and len(fds) == length % 2, (len(data), length, fds)
    for fd in fds:
        os.close(fd)
print('bytes', sum(lengths), 'fds', sum(length % 2 for length in lengths), 'longest', longest)
if KIND == 'seqpacket':
    client.shutdown(socket.SHUT_WR)
    assert receive(server, 10)[0] == b''
