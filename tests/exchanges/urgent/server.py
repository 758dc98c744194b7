"""Urgent data of TCP: MSG_OOB, SO_OOBINLINE, SIOCATMARK, and who tells of it."""

import fcntl
import select
import selectors
import socket
import struct

SIOCATMARK = 0x8905
OOB = socket.MSG_OOB


def pair(inline=0):
    """A connection; what the listener is set to, its connections are, too."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, inline)
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    return client, server


def at_mark(sock):
    return struct.unpack("i", fcntl.ioctl(sock, SIOCATMARK, struct.pack("i", 7)))[0]


def attempt(what, action):
    try:
        print(what, "->", action())
    except OSError as error:
        print(what, "->", type(error).__name__, error)


def urgent(sock):
    """Wait until there is urgent data."""
    readable, writable, exceptional = select.select([], [], [sock], 5)
    assert exceptional == [sock]


def all_there(sock):
    """A poll that does not wait is exact: whatever was sent to this host has come now."""
    select.select([sock], [], [sock], 0)


def beside_the_stream():
    client, server = pair()
    attempt("nothing yet", lambda: server.recv(1, OOB))
    print(client.send(b"abc"), client.send(b"!", OOB), client.send(b"def"))
    urgent(server)
    print(at_mark(server), server.recv(1, OOB | socket.MSG_PEEK), server.recv(10, OOB))
    attempt("once only", lambda: server.recv(1, OOB))
    all_there(server)
    print(select.select([server], [], [server], 0)[2])
    print(server.recv(100), at_mark(server))
    print(server.recv(100), at_mark(server))
    client.close()
    print(server.recv(100))
    server.close()


def the_last_byte_of_a_send():
    client, server = pair()
    print(client.send(b"hello", OOB))
    urgent(server)
    data, ancillary, flags, address = server.recvmsg(10, 0, OOB)
    print(data, ancillary, flags == OOB, address)
    print(server.recv(100), at_mark(server))
    buffer = bytearray(4)
    client.sendmsg([b"a", b"bc"], [], OOB)
    urgent(server)
    print(server.recv_into(buffer, 4, OOB), bytes(buffer))
    print(server.recv(100, socket.MSG_WAITALL))
    client.close()
    server.close()


def inline():
    client, server = pair(1)
    print(server.getsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE))
    client.sendall(b"abc")
    client.send(b"!", OOB)
    client.sendall(b"def")
    urgent(server)
    attempt("inline", lambda: server.recv(1, OOB))
    all_there(server)
    print(server.recv(100), at_mark(server))
    print(server.recv(2), at_mark(server))
    print(server.recv(100))
    # The option says what happens to a byte when it is read.
    client.send(b"?", OOB)
    urgent(server)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 0)
    print(server.recv(1, OOB))
    client.close()
    print(server.recv(100))
    server.close()


def one_overtakes_another():
    client, server = pair()
    client.sendall(b"ab")
    client.send(b"1", OOB)
    client.sendall(b"cd")
    client.send(b"2", OOB)
    client.sendall(b"ef")
    all_there(server)
    urgent(server)
    print(server.recv(100), at_mark(server), server.recv(1, OOB), server.recv(100))
    client.close()
    server.close()


def a_read_passes_it():
    client, server = pair()
    client.send(b"!", OOB)
    urgent(server)
    server.setblocking(False)
    attempt("reading at the mark", lambda: server.recv(100))
    attempt("it is gone", lambda: server.recv(1, OOB))
    client.close()
    server.close()


def who_tells_of_it():
    client, server = pair()
    poll = select.poll()
    poll.register(server, select.POLLIN | select.POLLPRI)
    epoll = select.epoll()
    epoll.register(server, select.EPOLLPRI)
    print(poll.poll(0), epoll.poll(0))
    client.send(b"!", OOB)
    urgent(server)
    fd = server.fileno()
    print([(each == fd, events) for each, events in poll.poll(5000)])
    print([(each == fd, events) for each, events in epoll.poll(5)])
    print(select.select([server], [], [server], 0)[::2] == ([], [server]))
    print(server.recv(1, OOB))
    print(poll.poll(0), epoll.poll(0))
    with selectors.DefaultSelector() as selector:
        selector.register(server, selectors.EVENT_READ)
        client.sendall(b"ordinary")
        print([events for _, events in selector.select(5)])
    epoll.close()
    client.close()
    server.close()


def refusals():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.connect(udp.getsockname())
        attempt("UDP", lambda: udp.send(b"!", OOB))
        attempt("UDP's mark", lambda: at_mark(udp))
    with socket.socket() as fresh:
        attempt("not connected", lambda: fresh.recv(1, OOB))
        print(at_mark(fresh))
        fresh.bind(("127.0.0.1", 0))
        fresh.listen()
        attempt("a listener", lambda: fresh.recv(1, OOB))


beside_the_stream()
the_last_byte_of_a_send()
inline()
one_overtakes_another()
a_read_passes_it()
who_tells_of_it()
refusals()
