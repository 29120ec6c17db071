"""Prints with which byte of a stream each descriptor arrives, and with which it was sent."""
from both_ends import *

client, server = pair(listen())
sent = []
length = 0
for data, count in ((b'AAAA', 0), (b'B', 1), (b'CC', 0), (b'CC', 0), (b'DD', 2), (b'E', 1), (b'F', 1), (b'GGGG', 0)):
    sent += [length] * count
    send(client, data, [0] * count)
    length += len(data)
client.shutdown(socket.SHUT_WR)
arrived = []
position = 0
while True:
    data, fds, _ = receive(server, 1)
    if not data:
        break
    arrived += [position] * len(fds)
    position += 1
print('sent', sent)
print('arrived', arrived)
