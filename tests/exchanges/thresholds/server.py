# The kernel's own limits of a call, which are no time-outs of Python's, and a receive that waits for enough.
import errno
import os
import select
import selectors
import socket
import struct
import threading
import time


def attempt(what, action, *args):
    begin = time.monotonic()
    try:
        result = action(*args)
    except OSError as error:
        print(f'{what}: {type(error).__name__}: {error} ({errno.errorcode.get(error.errno, error.errno)})')
    else:
        print(f'{what}: {result!r}')
    return time.monotonic() - begin


def pair():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    return client, server


def limit(sock, option, seconds, micros):
    sock.setsockopt(socket.SOL_SOCKET, option, struct.pack('ll', seconds, micros))


def fill(sock):
    for _ in range(100_000):
        sock.send(bytes(1000))


client, server = pair()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(('127.0.0.1', 0))

# Values.
for name in ('SO_RCVTIMEO', 'SO_SNDTIMEO'):
    option = getattr(socket, name)
    size = struct.calcsize('ll')
    print(name, struct.unpack('ll', client.getsockopt(socket.SOL_SOCKET, option, size)))
    limit(client, option, 1, 500000)
    print(name, struct.unpack('ll', client.getsockopt(socket.SOL_SOCKET, option, size)))
    # As programs for 64 bits write it.
    client.setsockopt(socket.SOL_SOCKET, option, struct.pack('qq', 2, 240000))
    print(name, struct.unpack('qq', client.getsockopt(socket.SOL_SOCKET, option, 16)))
    limit(client, option, -1, 0)
    print(name, struct.unpack('ll', client.getsockopt(socket.SOL_SOCKET, option, size)))
    limit(client, option, 0, 0)
    attempt('too short', client.setsockopt, socket.SOL_SOCKET, option, 5)
    attempt('too many', client.setsockopt, socket.SOL_SOCKET, option, struct.pack('ll', 0, 1000000))
    attempt('too few', client.setsockopt, socket.SOL_SOCKET, option, struct.pack('ll', 0, -1))
    print(client.gettimeout())
for number in (0, 5, 1):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, number)
    print('SO_RCVLOWAT', client.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT))
attempt('SO_SNDLOWAT', client.setsockopt, socket.SOL_SOCKET, socket.SO_SNDLOWAT, 5)

# Every call that waits.
limit(server, socket.SO_RCVTIMEO, 0, 100000)
limit(udp, socket.SO_RCVTIMEO, 0, 100000)
listener = socket.create_server(('127.0.0.1', 0), backlog=0)
limit(listener, socket.SO_RCVTIMEO, 0, 100000)
for what, call in [
    ('recv', lambda: server.recv(10)),
    ('recv_into', lambda: server.recv_into(bytearray(10))),
    ('recvmsg', lambda: server.recvmsg(10)),
    ('read', lambda: os.read(server.fileno(), 10)),
    ('recvfrom', lambda: udp.recvfrom(10)),
    ('accept', listener.accept),
]:
    print(0.09 < attempt(what, call))
for flags in (0, socket.MSG_WAITALL, socket.MSG_PEEK):
    threading.Timer(0.02, client.sendall, [b'late']).start()
    print(flags, server.recv(4, flags))
print(server.recv(10))
client.sendall(b'partly')
print('MSG_PEEK | MSG_WAITALL:', server.recv(10, socket.MSG_PEEK | socket.MSG_WAITALL))
attempt('MSG_WAITALL', server.recv, 10, socket.MSG_WAITALL)
accepted = socket.create_connection(listener.getsockname())
inherits, _ = listener.accept()
attempt('an accepted socket', inherits.recv, 10)

# A backlog that is full keeps a connection waiting.
waiting = [socket.create_connection(listener.getsockname())]
late = socket.socket()
limit(late, socket.SO_SNDTIMEO, 0, 100000)
print(0.09 < attempt('connect', late.connect, listener.getsockname()))
attempt('connect again', late.connect, listener.getsockname())

# A peer that does not read.
limit(client, socket.SO_SNDTIMEO, 0, 200000)
most = 50_000_000
print(0 < client.send(bytes(most)) < most)
attempt('send', fill, client)
attempt('sendall', client.sendall, bytes(most))

# Non-blocking mode and Python's own time-outs are what they are.
fast, slow = pair()
limit(slow, socket.SO_RCVTIMEO, 30, 0)
slow.settimeout(0.05)
attempt('settimeout', slow.recv, 1)
slow.setblocking(False)
attempt('setblocking', slow.recv, 1)
attempt('MSG_DONTWAIT', slow.recv, 1, socket.MSG_DONTWAIT)

# A receive that waits for enough.
client, server = pair()
limit(server, socket.SO_RCVTIMEO, 0, 100000)
server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 4)
client.sendall(b'abc')
poll, epoll, selector = select.poll(), select.epoll(), selectors.DefaultSelector()
poll.register(server, select.POLLIN)
epoll.register(server, select.EPOLLIN)
selector.register(server, selectors.EVENT_READ)


def readable(timeout):
    return (
        select.select([server], [], [], timeout)[0] == [server],
        poll.poll(timeout * 1000) != [],
        epoll.poll(timeout) != [],
        selector.select(timeout) != [],
    )


print('three bytes:', server.recv(10, socket.MSG_PEEK), readable(0.05))
print('at once:', server.recv(10, socket.MSG_DONTWAIT | socket.MSG_PEEK), server.recv(3, socket.MSG_PEEK))
print('when the time is up:', server.recv(10))
client.sendall(b'abc')
threading.Timer(0.02, client.sendall, [b'd']).start()
print('four bytes:', readable(30), server.recv(10))
client.sendall(b'abcdef')
print(server.recv(2), server.recv(10), readable(0))
client.sendall(b'ab')
server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 2)
print('a lower mark:', readable(30), server.recv(10))
client.sendall(b'z')
client.close()
print('the end:', readable(30), server.recv(10), server.recv(10))

# UNIX sockets.
one, other = socket.socketpair()
limit(one, socket.SO_RCVTIMEO, 0, 100000)
limit(one, socket.SO_SNDTIMEO, 0, 100000)
one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 4)
attempt('stream', one.recv, 10)
other.sendall(b'abc')
print(select.select([one], [], [], 0)[0] == [one], one.recv(10))
print(0 < one.send(bytes(most)) < most)
attempt('stream', fill, one)
one, other = socket.socketpair(type=socket.SOCK_DGRAM)
limit(one, socket.SO_RCVTIMEO, 0, 100000)
limit(one, socket.SO_SNDTIMEO, 0, 100000)
attempt('datagram', one.recv, 10)
count = 0
try:
    while count < 100_000:
        one.send(count.to_bytes(4) * 500)
        count += 1
except BlockingIOError as error:
    print('datagram:', error)
# None of those that were refused arrives.
arrived = [int.from_bytes(other.recv(4)) for _ in range(count)]
print(arrived == list(range(count)))
one.send(b'last')
print(other.recv(10))
listener = socket.socket(socket.AF_UNIX)
listener.bind('\0thresholds')
listener.listen(0)
limit(listener, socket.SO_RCVTIMEO, 0, 100000)
attempt('accept', listener.accept)
first = socket.socket(socket.AF_UNIX)
first.connect('\0thresholds')
late = socket.socket(socket.AF_UNIX)
limit(late, socket.SO_SNDTIMEO, 0, 100000)
attempt('connect', late.connect, '\0thresholds')
accepted, _ = listener.accept()
limits = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.calcsize('ll'))
print('inherited:', struct.unpack('ll', limits))
