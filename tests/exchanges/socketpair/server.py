# Two connected sockets in one process.
import select
import selectors
import socket
import threading

one, other = socket.socketpair()
print(one.family, one.type, one.proto, repr(one.getsockname()), repr(other.getpeername()))
one.sendall(b'hello')
print(other.recv(10))
other.sendmsg([b'a', b'bc'])
print(one.recvfrom(10))
print(select.select([one, other], [one, other], [], 0)[0])

# More than any buffer holds, through a thread.
total = 3_000_000
received = bytearray()


def read():
    while len(received) < total:
        received.extend(other.recv(65536))


thread = threading.Thread(target=read)
thread.start()
one.sendall(bytes(range(250)) * (total // 250))
thread.join()
print(len(received), received == bytes(range(250)) * (total // 250))

with selectors.DefaultSelector() as selector:
    selector.register(one, selectors.EVENT_READ, 'one')
    other.send(b'x')
    print([(key.data, events) for key, events in selector.select()])
    one.recv(1)

other.send(b'left behind')
other.close()
print(one.recv(100), one.recv(100))
try:
    one.send(b'anybody?')
except OSError as error:
    print(type(error).__name__, error)
poll = select.poll()
poll.register(one, select.POLLIN | select.POLLOUT)
print([events for _, events in poll.poll()])
one.close()

first, second = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
for data in (b'one', b'', b'three'):
    first.send(data)
print(second.recv(10), second.recv(10), second.recvfrom(2))
second.close()
try:
    first.send(b'anybody?')
except OSError as error:
    print(type(error).__name__, error)

for arguments in [(socket.AF_INET,), (socket.AF_UNIX, socket.SOCK_STREAM, 6)]:
    try:
        socket.socketpair(*arguments)
    except OSError as error:
        print(type(error).__name__, error)

again, = [socket.socket(fileno=first.detach())]
print(again.family, again.type, again.proto)
copy = again.dup()
again.close()
print(copy.family, repr(copy.getsockname()))
