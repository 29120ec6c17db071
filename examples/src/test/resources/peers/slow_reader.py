"""A reader that does not read makes its writer wait, and gets everything when it finally reads."""
import select
import threading
from both_ends import *

client, server = pair(listen())
client.setblocking(False)
record = b'x' * 100000
sent = 0
while sent < 100 << 20 and select.select([], [client], [], 0.5)[1]:
    sent += client.send(record)
print('waits' if sent < 4 << 20 else 'has sent %d bytes' % sent)
client.settimeout(TIMEOUT)
counted = []
thread = threading.Thread(target=lambda: counted.append(len(read_all(server))))
thread.start()
for _ in range(1000):
    sent += client.send(record)
client.close()
thread.join()
assert counted == [sent], (counted, sent)
print('bytes', sent)
