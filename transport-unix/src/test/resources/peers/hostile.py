"""
A hostile peer. For each line "case FOLDER TYPE COUNT" on standard input, a child executes the COUNT operations that
follow, against the socket FOLDER/socket, and writes what it does to FOLDER/log before and after it does it, so that
the log is complete when it is killed. The driver wakes up children that have stopped themselves, restores the limits
of the process that it was started by, and prints "done STATUS".

Operations, each with its number first:
  open CONNECTION SNDBUF RCVBUF
  send CONNECTION OFFSET LENGTH FLAGS CREDENTIALS DESCRIPTORS   a part of the file argv[1]; see descriptor()
  read CONNECTION COUNT                                         does not wait
  shutdown CONNECTION HOW
  drain CONNECTION            reads until nothing comes for a moment, shuts the output down, and reads to the end
  close CONNECTION
  sleep MICROSECONDS, stop, kill, alarm MICROSECONDS, limit DESCRIPTORS
"""
import array
import errno
import mmap
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
import zlib

RECEIVER = os.getppid()
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
TYPES = {'stream': socket.SOCK_STREAM, 'seqpacket': socket.SOCK_SEQPACKET, 'datagram': socket.SOCK_DGRAM}
PATIENCE_SECONDS = 15
QUIET_SECONDS = 0.015


class Peer:
    def __init__(self, folder, kind, block):
        self.folder, self.kind, self.block = folder, kind, block
        self.log = os.open(folder + '/log', os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self.sockets = {}
        self.say('pid', os.getpid(), os.getuid(), os.getgid())

    def say(self, *words):
        os.write(self.log, (' '.join(map(str, words)) + '\n').encode())

    def open(self, op, connection, sndbuf, rcvbuf):
        s = socket.socket(socket.AF_UNIX, TYPES[self.kind])
        buffers = (socket.SO_SNDBUF, SO_SNDBUFFORCE, sndbuf), (socket.SO_RCVBUF, SO_RCVBUFFORCE, rcvbuf)
        for option, forced, value in buffers:
            if value != '0':
                try:
                    s.setsockopt(socket.SOL_SOCKET, forced, int(value))
                except PermissionError:
                    s.setsockopt(socket.SOL_SOCKET, option, int(value))
        # A receiver that reads no more must not stop this process for ever as well.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', PATIENCE_SECONDS, 0))
        if self.kind == 'datagram':
            s.bind(self.folder + '/' + connection)
        s.connect(self.folder + '/socket')
        self.sockets[connection] = s
        self.say('opened', connection)

    def descriptor(self, kind, op, index, connection):
        """A descriptor to send, and what else has to be closed once it is sent."""
        name = f'{op}-{index}'
        if kind == 'm':
            fd = os.memfd_create(name)
            os.write(fd, name.encode())
            return fd, ()
        if kind in 'pP':
            pair = os.pipe()
            return pair[kind == 'P'], (pair[kind == 'p'],)
        if kind == 's':
            pair = socket.socketpair()
            return pair[0].detach(), (pair[1].detach(),)
        if kind == 'c':
            # The receive queue of the one end contains itself and the other.
            a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            socket.send_fds(a, [b'x'], [b.fileno(), a.fileno()])
            socket.send_fds(b, [b'x'], [a.fileno()])
            return a.detach(), (b.detach(),)
        if kind == 'l':
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.bind('')
            s.listen()
            return s.detach(), ()
        if kind == 'o':
            path = self.folder + '/file-' + name
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            return os.open(path, os.O_PATH), ()
        if kind == 'e':
            return os.dup(select.epoll().fileno()), ()
        if kind == 'E':
            return os.eventfd(3), ()
        if kind == 't':
            return socket.socket(socket.AF_INET, socket.SOCK_STREAM).detach(), ()
        if kind == 'y':
            return os.dup(self.sockets[connection].fileno()), ()
        raise ValueError(kind)

    def send(self, op, connection, offset, length, flags, credentials, kinds):
        opened, also = [], []
        try:
            for index, kind in enumerate('' if kinds == '-' else kinds):
                fd, others = self.descriptor(kind, op, index, connection)
                opened.append(fd)
                also.extend(others)
            ancillary = []
            if opened:
                ancillary.append((socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', opened)))
            if credentials == 'garbage':
                ancillary.append((socket.SOL_SOCKET, 99, b'1234'))
            elif credentials == 'ignored':
                ancillary.append((socket.IPPROTO_IP, 1, b'1234'))
            elif credentials != '-':
                uid, gid = map(int, credentials.split(','))
                ancillary.append((socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack('3i', os.getpid(), uid, gid)))
            links = [os.readlink(f'/proc/self/fd/{fd}').replace(' ', '~') for fd in opened]
            self.say('try', op, *links)
            data = self.block[int(offset):int(offset) + int(length)]
            sent = self.sockets[connection].sendmsg([data], ancillary, int(flags))
            self.say('sent', op, sent)
        finally:
            for fd in opened + also:
                os.close(fd)

    def receive(self, connection, flags):
        """Reads once; false at the end."""
        data, ancillary, flags, _ = self.sockets[connection].recvmsg(1 << 20, socket.CMSG_SPACE(4 * 253), flags)
        links = []
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = array.array('i')
                fds.frombytes(content)
                for fd in fds:
                    links.append(os.readlink(f'/proc/self/fd/{fd}').replace(' ', '~'))
                    os.close(fd)
        # Of a seqpacket socket an empty record looks like the end, which says so by itself: this peer gets none.
        if not data and self.kind != 'datagram':
            return False
        self.say('got', connection, len(data), zlib.crc32(data), *links)
        return True

    def read(self, op, connection, count):
        try:
            for _ in range(int(count)):
                if not self.receive(connection, socket.MSG_DONTWAIT):
                    return
        except BlockingIOError:
            pass

    def shutdown(self, op, connection, how):
        self.sockets[connection].shutdown(int(how))

    def drain(self, op, connection):
        s = self.sockets[connection]
        reset = 0
        try:
            while select.select([s], [], [], QUIET_SECONDS)[0] and self.receive(connection, socket.MSG_DONTWAIT):
                pass
        except BlockingIOError:
            # It counts as readable since its input was shut down.
            pass
        except ConnectionResetError:
            reset += 1
        if self.kind == 'datagram':
            return
        try:
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        s.settimeout(PATIENCE_SECONDS)
        while True:
            try:
                if not self.receive(connection, 0):
                    break
            except ConnectionResetError:
                reset += 1
                if reset > 1:
                    raise
        self.say('drained', connection)

    def close(self, op, connection):
        self.sockets.pop(connection).close()

    def sleep(self, op, micros):
        time.sleep(int(micros) / 1e6)

    def stop(self, op):
        os.kill(os.getpid(), signal.SIGSTOP)

    def kill(self, op):
        os.kill(os.getpid(), signal.SIGKILL)

    def alarm(self, op, micros):
        signal.setitimer(signal.ITIMER_REAL, int(micros) / 1e6)

    def limit(self, op, more):
        used = max(map(int, os.listdir(f'/proc/{RECEIVER}/fd'))) + 1
        resource.prlimit(RECEIVER, resource.RLIMIT_NOFILE, (used + int(more), LIMIT[1]))
        self.say('limited')

    def execute(self, operations):
        for op, name, *arguments in operations:
            try:
                getattr(self, name)(op, *arguments)
            except (BlockingIOError, TimeoutError) as e:
                raise RuntimeError(f'operation {op} waits for the receiver in vain') from e
            except OSError as e:
                self.say('failed', op, errno.errorcode.get(e.errno, e.errno if e.errno else type(e).__name__))
            except KeyError:
                # The connection could not be opened, or was closed.
                self.say('failed', op, 'EBADF')
        self.say('end')


def run(folder, kind, operations, block):
    child = os.fork()
    if not child:
        status = 1
        peer = Peer(folder, kind, block)
        try:
            peer.execute(operations)
            status = 0
        except BaseException as e:
            peer.say('error', repr(e), 'line', e.__traceback__.tb_lineno)
        finally:
            os._exit(status)
    while True:
        _, status = os.waitpid(child, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            break
        time.sleep(0.02)
        os.kill(child, signal.SIGCONT)
    resource.prlimit(RECEIVER, resource.RLIMIT_NOFILE, LIMIT)
    print('done', os.waitstatus_to_exitcode(status), flush=True)


LIMIT = resource.prlimit(RECEIVER, resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
with open(sys.argv[1], 'rb') as file:
    block = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
for line in sys.stdin:
    _, folder, kind, count = line.split()
    run(folder, kind, [sys.stdin.readline().split() for _ in range(int(count))], block)
