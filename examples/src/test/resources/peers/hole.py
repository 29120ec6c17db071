"""The upstream refuses descriptors: nothing may arrive in the place of the message that carries one."""
import signal
from both_ends import *

SO_PASSRIGHTS = 83
proxy = int(sys.argv[4])

client, server = pair(listen())
try:
    server.setsockopt(socket.SOL_SOCKET, SO_PASSRIGHTS, 0)
except OSError:
    print('left out: SO_PASSRIGHTS needs Linux 6.16')
    sys.exit()
# The proxy reads all of them at once.
os.kill(proxy, signal.SIGSTOP)
client.send(b'before')
send(client, b'with a descriptor', [0])
client.send(b'behind')
os.kill(proxy, signal.SIGCONT)
received = []
try:
    while data := server.recv(100):
        received.append(data)
except ConnectionResetError:
    pass
assert received == [b'before'], received
assert fails(lambda: [client.send(b'x' * 1000) for _ in range(10000)], BrokenPipeError, ConnectionResetError)
print('nothing behind it')
