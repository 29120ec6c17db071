"""Clients of a server that is being replaced: some stay connected, some connect for each request, many do nothing."""
import re
import socket
import sys
import threading
import time

PATH = sys.argv[1]
IDLE = 600
# Between requests, so that the starting servers get the processor.
PAUSE = 0.005
problems = []
generations = set()
served = threading.Condition()
stopping = threading.Event()


def check(answer, request):
    found = re.fullmatch(r'generation (\d+), pid (\d+): (.*)\n', answer)
    assert found and found[3] == request, (answer, request)
    generation = int(found[1])
    if generation not in generations:
        with served:
            generations.add(generation)
            served.notify_all()


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(PATH)
    return s, s.makefile('r')


def stay(name):
    s, answers = connect()
    number = 0
    while not stopping.is_set():
        # Two at once and a part of a third, whose rest may reach another server.
        s.sendall(b'%s %d\n%s %d\nin ' % (name, number, name, number + 1))
        check(answers.readline(), '%s %d' % (name.decode(), number))
        check(answers.readline(), '%s %d' % (name.decode(), number + 1))
        s.sendall(b'parts\n')
        check(answers.readline(), 'in parts')
        number += 2
        time.sleep(PAUSE)


def come_and_go(name):
    while not stopping.is_set():
        s, answers = connect()
        s.sendall(name + b'\n')
        check(answers.readline(), name.decode())
        assert answers.read(0) == ''
        answers.close()
        s.close()
        time.sleep(PAUSE)


def guarded(function, name):
    try:
        function(name)
    except BaseException as e:
        problems.append((name, e))


idle = [connect() for _ in range(IDLE)]
threads = [threading.Thread(target=guarded, args=(function, b'client %d' % i))
           for i, function in enumerate((stay, stay, stay, come_and_go, come_and_go))]
for t in threads:
    t.start()
for line in sys.stdin:
    wanted = int(line)
    with served:
        served.wait_for(lambda: wanted in generations or problems, 30)
    print('served by', sorted(generations), 'problems', problems, flush=True)
stopping.set()
for t in threads:
    t.join()
for s, answers in idle:
    s.sendall(b'at last\n')
    check(answers.readline(), 'at last')
print('ended, problems', problems)
