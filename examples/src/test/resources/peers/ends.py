"""How connections end: each case prints its name if it ends as it does without a proxy."""
import select
import threading
from both_ends import *

listening = listen()


def one_direction_ends_before_the_other():
    client, server = pair(listening)
    client.send(b'question')
    client.shutdown(socket.SHUT_WR)
    assert read_all(server) == b'question'
    server.send(b'answer')
    server.shutdown(socket.SHUT_WR)
    assert read_all(client) == b'answer'

    client, server = pair(listening)
    server.send(b'answer')
    server.shutdown(socket.SHUT_WR)
    assert read_all(client) == b'answer'
    client.send(b'thanks')
    client.close()
    assert read_all(server) == b'thanks'


def what_was_sent_before_closing_arrives():
    client, server = pair(listening)
    thread = threading.Thread(target=lambda: ([client.send(b'z' * 10000) for _ in range(1000)], client.close()))
    thread.start()
    # A slow reader: all buffers stay full until the end.
    length = 0
    while part := server.recv(10000):
        length += len(part)
        threading.Event().wait(0.0002)
    assert length == 10000 * 1000, length
    thread.join()


def unread_data_of_the_peer_does_not_matter_to_it():
    client, server = pair(listening)
    client.send(b'last words')
    # A reset would overtake records: both directions have been passed on before it comes.
    assert server.recv(1, socket.MSG_PEEK) == b'l'
    server.send(b'unread')
    assert client.recv(1, socket.MSG_PEEK) == b'u'
    client.close()
    words = b''
    try:
        words = server.recv(100)
        read_all(server)
    except ConnectionResetError:
        pass
    assert words == b'last words', words


def hung_up(s):
    """Waits until both directions of a connection have ended, without reading or writing."""
    poll = select.poll()
    poll.register(s, 0)
    return poll.poll(TIMEOUT * 1000) == [(s.fileno(), select.POLLHUP)]


def one_that_has_gone_altogether_is_gone_at_the_other_end_too():
    for swap in False, True:
        gone, other = pair(listening)[::-1 if swap else 1]
        gone.close()
        assert hung_up(other)

        gone, other = pair(listening)[::-1 if swap else 1]
        gone.send(b'words')
        gone.shutdown(socket.SHUT_WR)
        assert read_all(other) == b'words'
        other.send(b'heard')
        assert gone.recv(10) == b'heard'
        gone.close()
        assert hung_up(other)
        # At once, not after what the proxy would have taken.
        assert fails(lambda: other.send(b'x'), BrokenPipeError)


def who_writes_to_one_that_has_gone_is_told():
    client, server = pair(listening)
    client.close()
    assert read_all(server) == b''
    assert fails(lambda: [server.send(b'x' * 1000) for _ in range(10000)], BrokenPipeError, ConnectionResetError)


def who_writes_to_one_that_takes_no_more_is_told_and_can_read():
    client, server = pair(listening)
    server.shutdown(socket.SHUT_RD)
    assert fails(lambda: [client.send(b'x' * 1000) for _ in range(10000)], BrokenPipeError, ConnectionResetError)
    server.send(b'still here')
    server.close()
    assert read_all(client) == b'still here'


def who_waits_for_one_that_has_gone_is_told():
    client, server = pair(listening)
    waiting = threading.Thread(target=lambda: fails(lambda: [client.send(b'x' * 1000) for _ in range(10000)],
                                                    BrokenPipeError, ConnectionResetError) or print('not told'))
    waiting.start()
    assert server.recv(1000)
    server.close()
    waiting.join()


def a_reset_is_passed_on_if_the_proxy_has_not_read_everything():
    client, server = pair(listening)
    client.setblocking(False)
    # Until all buffers are full, the proxy's as well: nothing has been taken for longer than a busy proxy pauses.
    while select.select([], [client], [], 3)[1]:
        try:
            client.send(b'x' * 1000)
        except BlockingIOError:
            pass
    client.settimeout(TIMEOUT)
    server.send(b'no')
    server.close()
    received = []
    for _ in range(2):
        try:
            received.append(client.recv(100))
        except ConnectionResetError:
            received.append('reset')
    # It overtakes records that are not read yet, but not bytes.
    assert received == [b'no', 'reset'] or KIND != 'stream' and received == ['reset', b'no'], received
    assert fails(lambda: client.send(b'more'), BrokenPipeError)


def one_that_nobody_serves_is_closed():
    listening.close()
    client = new(connected_to=LISTEN)
    assert fails(lambda: read_all(client), ConnectionResetError) or True
    client.close()


for case in (one_direction_ends_before_the_other, what_was_sent_before_closing_arrives,
             unread_data_of_the_peer_does_not_matter_to_it, one_that_has_gone_altogether_is_gone_at_the_other_end_too,
             who_writes_to_one_that_has_gone_is_told,
             who_writes_to_one_that_takes_no_more_is_told_and_can_read, who_waits_for_one_that_has_gone_is_told,
             a_reset_is_passed_on_if_the_proxy_has_not_read_everything, one_that_nobody_serves_is_closed):
    case()
    print(case.__name__)
