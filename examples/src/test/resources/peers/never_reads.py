"""A client that sends requests, and reads no reply."""
import select
import socket
import sys

s = socket.socket(socket.AF_UNIX)
s.settimeout(30)
# The server has read all requests but those that fit here.
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
s.connect(sys.argv[1])
queue = s.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
# As many replies as fit into the server's socket, and one more.
probe = socket.socket(socket.AF_UNIX)
replies = probe.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
request = b'x' * 499 + b'\n'
s.sendall(request * ((queue + replies) // len(request) + 2))
print('reads nothing')
poll = select.poll()
poll.register(s, 0)
poll.poll()
print('is closed')
