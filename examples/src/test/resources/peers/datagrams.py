"""Several clients of one server, each of which gets its own answers, no matter what the others do."""
import threading
from both_ends import *

COUNT = 300
server = new(UPSTREAM)
clients = [new(LISTEN + '.%d' % i, LISTEN) for i in range(3)]


def serve():
    for _ in range(COUNT * len(clients)):
        data, fds, sender = receive(server, 100)
        send(server, b'to ' + data, fds, sender)
        for fd in fds:
            os.close(fd)


def ask(client, name):
    for i in range(COUNT):
        send(client, b'%d %d' % (name, i), [0] * (i % 3))


# Besides the clients that ask: the number of datagrams that may wait between them and the server is limited.
def hear(client, name, answers):
    for i in range(COUNT):
        data, fds, sender = receive(client, 100)
        if (data, len(fds), sender) == (b'to %d %d' % (name, i), i % 3, LISTEN):
            answers[name] += 1
        for fd in fds:
            os.close(fd)


answers = [0] * len(clients)
threads = [threading.Thread(target=serve)]
threads += [threading.Thread(target=ask, args=(c, i)) for i, c in enumerate(clients)]
threads += [threading.Thread(target=hear, args=(c, i, answers)) for i, c in enumerate(clients)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print('answers', answers)

# A client without a name is heard.
nameless = new(connected_to=LISTEN)
nameless.send(b'nobody')
data, _, sender = receive(server, 100)
print('nameless', data.decode())
server.sendto(b'to nobody', sender)


def eventually_fails(call):
    while not fails(call, ConnectionRefusedError, FileNotFoundError):
        threading.Event().wait(0.01)


# The server learns that a client has gone, as without a proxy, only a little later.
clients[1].send(b'goodbye')
gone = receive(server, 100)[2]
clients[1].close()
os.unlink(LISTEN + '.1')
eventually_fails(lambda: server.sendto(b'are you there?', gone))
print('told that one has gone')

# The socket of a silent client is closed; the client gets a new one when it sends again.
clients[0].send(b'before')
before = receive(server, 100)[2]
# Connecting to it shows whether it is there, without disturbing it.
eventually_fails(lambda: fails(lambda: new(connected_to=before), PermissionError))
clients[0].send(b'after')
data, _, after = receive(server, 100)
server.sendto(b'to ' + data, after)
print('after a silence', clients[0].recv(100).decode(), before != after)

# A server that comes back is found again.
server.close()
clients[2].send(b'lost')
os.unlink(UPSTREAM)
server = new(UPSTREAM)
server.settimeout(0.1)
while True:
    clients[2].send(b'again')
    try:
        print('found', receive(server, 100)[0].decode())
        break
    except TimeoutError:
        pass
