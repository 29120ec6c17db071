"""COUNT numbered descriptors each way at the same time, up to five with a message, one reader slow, all buffers small."""
import struct
import threading
from both_ends import *

COUNT = int(sys.argv[4])
problems = []


def sender(s):
    number, size = 0, 1
    while number < COUNT:
        size = min(size % 5 + 1, COUNT - number)
        fds = []
        for i in range(number, number + size):
            fds.append(os.memfd_create('numbered'))
            os.write(fds[-1], struct.pack('>I', i))
        send(s, struct.pack('>IB', number, size), fds)
        for fd in fds:
            os.close(fd)
        number += size
    s.shutdown(socket.SHUT_WR)


def receiver(s, slow):
    data, fds, number = b'', [], 0
    while True:
        part, more, _ = receive(s, 7 if KIND == 'stream' else 100)
        if not part:
            break
        data, fds = data + part, fds + more
        while len(data) >= 5:
            first, size = struct.unpack('>IB', data[:5])
            assert first == number, (first, number)
            assert len(fds) >= size, 'message %d has %d descriptors, %d have arrived' % (first, size, len(fds))
            assert KIND == 'stream' or len(fds) == size
            for i in range(size):
                fd = fds.pop(0)
                found, = struct.unpack('>I', os.pread(fd, 4, 0))
                assert found == number + i, (found, number + i)
                os.close(fd)
            number, data = number + size, data[5:]
            if slow and number % 100 == 0:
                # The others run meanwhile, and fill all buffers.
                threading.Event().wait(0.001)
    assert (number, fds, data) == (COUNT, [], b''), (number, fds, data)


def guarded(function, *arguments):
    try:
        function(*arguments)
    except BaseException as e:
        problems.append(e)
        for s in client, server:
            s.close()


client, server = pair(listen())
for s in client, server:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
threads = [threading.Thread(target=guarded, args=what) for what in
           ((sender, client), (sender, server), (receiver, server, True), (receiver, client, False))]
for t in threads:
    t.start()
for t in threads:
    t.join()
print('problems', problems)
