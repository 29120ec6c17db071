"""
A hostile peer. For each line "case FOLDER TYPE COUNT" on standard input, a child executes the COUNT operations that
follow, against the socket FOLDER/socket, and writes what it does to FOLDER/log before and after it does it, so that
the log is complete when it is killed. The driver wakes up children that have stopped, restores the limits of the
process that it was started by, and prints "done STATUS".

Operations, each with its number first:
  listen BACKLOG              at FOLDER/socket; open accepts then
  open CONNECTION RECEIVER SNDBUF RCVBUF PASSCRED BOUND         connects to FOLDER/socketRECEIVER
  send CONNECTION OFFSET LENGTH FLAGS CREDENTIALS DESCRIPTORS   a part of the file argv[1]; see descriptor()
  volley CONNECTION OFFSET LENGTH COUNT DESCRIPTORS             the same one as often as possible, and closes at once
  read CONNECTION COUNT                                         does not wait
  trickle CONNECTION COUNT BYTES MICROSECONDS                   reads slowly, and a stream in small parts
  await CONNECTION            waits a moment until there is something to read, and leaves it there
  shutdown CONNECTION HOW
  refuse CONNECTION           accepts no more descriptors
  drain CONNECTION            reads until nothing comes for a moment, shuts the output down, and reads to the end
  close CONNECTION
  settle READING              waits until the receiver has got everything; READING is 1 to read everything meanwhile
  idle                        waits while the receiver measures how idle it is
  sleep MICROSECONDS, stop, kill, limit DESCRIPTORS
  interrupt SIGNAL MICROSECONDS                                 sends itself a signal in the middle of what follows
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
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_PASSRIGHTS = 32, 33, 83
TYPES = {'stream': socket.SOCK_STREAM, 'seqpacket': socket.SOCK_SEQPACKET, 'datagram': socket.SOCK_DGRAM}
PATIENCE_SECONDS = 40
QUIET_SECONDS = 0.015
CREDENTIALS = struct.Struct('3i')


def tell(line):
    """In one system call: a child may be killed after each."""
    os.write(1, f'{line}\n'.encode())


class Peer:
    def __init__(self, folder, kind, block):
        self.folder, self.kind, self.block = folder, kind, block
        self.log = os.open(folder + '/log', os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self.sockets = {}
        self.listener = None
        self.say('pid', os.getpid(), os.getuid(), os.getgid())

    def say(self, *words):
        os.write(self.log, (' '.join(map(str, words)) + '\n').encode())

    def listen(self, op, backlog):
        self.listener = socket.socket(socket.AF_UNIX, TYPES[self.kind])
        self.listener.bind(self.folder + '/listener')
        self.listener.listen(int(backlog))
        self.listener.settimeout(PATIENCE_SECONDS)
        # From now on it can be connected to.
        os.rename(self.folder + '/listener', self.folder + '/socket')

    def open(self, op, connection, receiver, sndbuf, rcvbuf, passcred, bound):
        s = self.listener.accept()[0] if self.listener else socket.socket(socket.AF_UNIX, TYPES[self.kind])
        s.settimeout(None)
        buffers = (socket.SO_SNDBUF, SO_SNDBUFFORCE, sndbuf), (socket.SO_RCVBUF, SO_RCVBUFFORCE, rcvbuf)
        for option, forced, value in buffers:
            if value != '0':
                try:
                    s.setsockopt(socket.SOL_SOCKET, forced, int(value))
                except PermissionError:
                    s.setsockopt(socket.SOL_SOCKET, option, int(value))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, int(passcred))
        # A receiver that reads no more must not stop this process for ever as well.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', PATIENCE_SECONDS, 0))
        if bound == '1':
            s.bind(self.folder + '/' + connection)
        if not self.listener:
            s.connect(self.folder + '/socket' + receiver)
        self.sockets[connection] = s
        name = s.getsockname()
        self.say('opened', connection, (name.encode() if isinstance(name, str) else name).hex())

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
        if kind == 'w':
            # It watches itself being sent, as far as the kernel permits it.
            epoll = select.epoll()
            epoll.register(self.sockets[connection].fileno(), select.EPOLLIN)
            return os.dup(epoll.fileno()), ()
        if kind == 'D':
            return os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY), ()
        if kind == 'n':
            return os.open('/dev/null', os.O_RDWR), ()
        if kind == 'u':
            return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).detach(), ()
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
                ancillary.append((socket.SOL_SOCKET, socket.SCM_CREDENTIALS, CREDENTIALS.pack(os.getpid(), uid, gid)))
            links = [os.readlink(f'/proc/self/fd/{fd}').replace(' ', '~') for fd in opened]
            self.say('try', op, *links)
            data = self.block[int(offset):int(offset) + int(length)]
            sent = self.sockets[connection].sendmsg([data], ancillary, int(flags))
            self.say('sent', op, sent)
        finally:
            for fd in opened + also:
                os.close(fd)

    def volley(self, op, connection, offset, length, count, kinds):
        s = self.sockets.pop(connection)
        data = self.block[int(offset):int(offset) + int(length)]
        messages = []
        try:
            for i in range(int(count)):
                fds = [self.descriptor(kind, op, f'{i}-{j}', connection)[0]
                       for j, kind in enumerate('' if kinds == '-' else kinds)]
                messages.append((fds, [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []))
            links = [os.readlink(f'/proc/self/fd/{fd}').replace(' ', '~') for fds, _ in messages for fd in fds]
            self.say('try', op, *links)
            sent = last = 0
            failure = None
            try:
                for _, ancillary in messages:
                    last = s.sendmsg([data], ancillary)
                    sent += 1
                    if last < len(data):
                        break
            except OSError as e:
                failure = e
            s.close()
            self.say('sent', op, last, sent)
            if failure:
                raise failure
        finally:
            for fds, _ in messages:
                for fd in fds:
                    os.close(fd)

    def receive(self, connection, flags, size=1 << 20):
        """Reads once; false at the end."""
        room = socket.CMSG_SPACE(4 * 253) + socket.CMSG_SPACE(CREDENTIALS.size)
        data, ancillary, flags, _ = self.sockets[connection].recvmsg(size, room, flags)
        links = []
        sender = '-'
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = array.array('i')
                fds.frombytes(content)
                for fd in fds:
                    links.append(os.readlink(f'/proc/self/fd/{fd}').replace(' ', '~'))
                    os.close(fd)
            elif level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                sender = '%d/%d/%d' % CREDENTIALS.unpack(content)
        # An empty record has credentials, which the end has not.
        if not data and (self.kind == 'stream' or self.kind == 'seqpacket' and sender == '-'):
            return False
        self.say('got', connection, len(data), zlib.crc32(data), sender, *links)
        return True

    def read(self, op, connection, count):
        try:
            for _ in range(int(count)):
                if not self.receive(connection, socket.MSG_DONTWAIT):
                    return
        except BlockingIOError:
            pass

    def trickle(self, op, connection, count, size, micros):
        try:
            for _ in range(int(count)):
                if not self.receive(connection, socket.MSG_DONTWAIT, int(size) if self.kind == 'stream' else 1 << 20):
                    return
                time.sleep(int(micros) / 1e6)
        except BlockingIOError:
            pass

    # "await" is a keyword.
    def await_(self, op, connection):
        select.select([self.sockets[connection]], [], [], 0.05)

    def refuse(self, op, connection):
        self.sockets[connection].setsockopt(socket.SOL_SOCKET, SO_PASSRIGHTS, 0)
        self.say('refused', connection)

    def settle(self, op, reading):
        """Standard input is the child's while the driver waits for it."""
        watched = {s: connection for connection, s in self.sockets.items()} if reading == '1' else {}
        self.say('settle', op, *watched.values())
        tell(f'settle {op}')
        while True:
            ready = select.select([0, *watched], [], [])[0]
            if 0 in ready:
                os.read(0, 3)
                return
            for s in ready:
                try:
                    if not self.receive(watched[s], socket.MSG_DONTWAIT):
                        del watched[s]
                except BlockingIOError:
                    # It counts as readable since its input was shut down.
                    del watched[s]
                except ConnectionResetError:
                    pass

    def idle(self, op):
        tell('idle')
        os.read(0, 3)

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

    def interrupt(self, op, number, micros):
        # Its number may belong to another process by then.
        process = os.pidfd_open(os.getpid())
        if not os.fork():
            os.closerange(0, process)
            os.closerange(process + 1, 1 << 16)
            time.sleep(int(micros) / 1e6)
            try:
                signal.pidfd_send_signal(process, int(number))
            finally:
                os._exit(0)
        os.close(process)

    def limit(self, op, more):
        used = max(map(int, os.listdir(f'/proc/{RECEIVER}/fd'))) + 1
        resource.prlimit(RECEIVER, resource.RLIMIT_NOFILE, (used + int(more), LIMIT[1]))
        self.say('limited')

    def execute(self, operations):
        for op, name, *arguments in operations:
            try:
                getattr(self, name + '_' if name == 'await' else name)(op, *arguments)
            except (BlockingIOError, TimeoutError) as e:
                # The driver looks at the receiver, before everything here is closed.
                tell(f'stuck {op}')
                os.read(0, 3)
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
    tell(f'done {os.waitstatus_to_exitcode(status)}')


LIMIT = resource.prlimit(RECEIVER, resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
with open(sys.argv[1], 'rb') as file:
    block = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
for line in sys.stdin:
    if line == 'go\n':
        # For a child that was killed before it could read it.
        continue
    _, folder, kind, count = line.split()
    run(folder, kind, [sys.stdin.readline().split() for _ in range(int(count))], block)
