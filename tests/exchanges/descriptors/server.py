# Which descriptors another program would inherit, select(2) on a list that changes, and sendfile(2).
import fcntl
import os
import select
import socket

own = socket.socket()
print(own.get_inheritable(), fcntl.fcntl(own, fcntl.F_GETFD))
own.set_inheritable(True)
print(own.get_inheritable(), os.get_inheritable(own.fileno()))
fcntl.fcntl(own, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
print(own.get_inheritable())
print(own.dup().get_inheritable(), os.get_inheritable(os.dup(own.fileno())))
one, other = socket.socketpair()
print(one.get_inheritable(), other.get_inheritable())
print([os.get_inheritable(end) for end in (*os.pipe(), *os.pipe2(0), *os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC))])
file = os.open('server.py', os.O_RDONLY)
print(os.get_inheritable(file))
os.set_inheritable(file, True)
print(os.get_inheritable(file), os.get_inheritable(os.dup2(file, 40)), os.get_inheritable(os.dup2(file, 41, inheritable=False)))
listener = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(listener.getsockname())
accepted, _ = listener.accept()
poll = select.epoll()
print(accepted.get_inheritable(), client.get_inheritable(), os.get_inheritable(poll.fileno()))
print([os.get_inheritable(standard) for standard in (0, 1, 2)])
for attempt in (lambda: os.get_inheritable(99), lambda: os.set_inheritable(99, True), lambda: os.pipe2(1)):
    try:
        attempt()
    except OSError as error:
        print(error)


class Shrinks:
    def __init__(self, around):
        self.around = around

    def fileno(self):
        del self.around[-1]
        return 1


around = []
around[:] = [Shrinks(around)] * 10
print(select.select([], around, []) == ([], around[:5], []), len(around))
try:
    select.select(5, [], [])
except TypeError as error:
    print(error)

with open('data', 'wb') as data:
    data.write(bytes(range(256)) * 100)
with open('data', 'rb') as data:
    print(os.sendfile(one.fileno(), data.fileno(), 10, 20), other.recv(100), data.tell())
    print(os.sendfile(one.fileno(), data.fileno(), None, 20), other.recv(100), data.tell())
    print(one.sendfile(data, 100, 5000), len(other.recv(5000, socket.MSG_WAITALL)), data.tell())
    print(one.sendfile(data, 25500), len(other.recv(100, socket.MSG_WAITALL)), data.tell())
