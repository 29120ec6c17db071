"""The credentials of messages: those of this process, and as root those of others, one of which has ended."""
import struct
import time
from both_ends import *


def with_credentials(s, data, pid, uid, gid):
    s.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack('iII', pid, uid, gid))])


def receive_credentials(s):
    data, control, _, sender = s.recvmsg(100, socket.CMSG_SPACE(12))
    return data, [struct.unpack('iII', content) for _, _, content in control], sender


# Inherited by accepted connections.
server = new(UPSTREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
if KIND == 'datagram':
    client = new(LISTEN + '.client', LISTEN)
else:
    server.listen(10)
    client, server = pair(server)
client.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def show(data, credentials):
    pid, uid, gid = credentials[0]
    print(data.decode(), 'process', {os.getpid(): 'itself', PROXY: 'proxy', os.getppid(): 'parent'}.get(pid, pid), 'user',
          uid, 'group', gid)


PROXY = int(sys.argv[4])
claims = [(os.getpid(), os.geteuid(), os.getegid())]
if os.geteuid() == 0:
    claims += [(os.getppid(), 1234, 5678)]
for claim in claims:
    with_credentials(client, b'up', *claim)
    data, credentials, sender = receive_credentials(server)
    show(data, credentials)
    address = [sender] if KIND == 'datagram' else []
    server.sendmsg([b'down'], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack('iII', *claim))], 0, *address)
    show(*receive_credentials(client)[:2])

def stopped(pid):
    for thread in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/stat' % (pid, thread)) as stat:
            if stat.read().rpartition(')')[2].split()[0] != 'T':
                return False
    return True


# Nobody reads until the process has ended: the proxy is stopped meanwhile, which kill() does not wait for.
os.kill(PROXY, 19)
while not stopped(PROXY):
    time.sleep(0.001)
child = os.fork()
if child == 0:
    client.send(b'from one that has ended')
    os._exit(0)
os.waitpid(child, 0)
os.kill(PROXY, 18)
show(*receive_credentials(server)[:2])
client.send(b'and on')
show(*receive_credentials(server)[:2])
