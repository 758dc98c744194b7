# What goes wrong with UNIX sockets, and what it is called.
import errno
import os
import socket
import stat


def attempt(what, action):
    try:
        result = action()
    except OSError as error:
        number = errno.errorcode.get(error.errno, error.errno)
        print(f'{what}: {type(error).__name__}: {error} ({number})')
    except TypeError as error:
        print(f'{what}: {type(error).__name__}: {error}')
    else:
        print(f'{what}: no error, {result!r}')


def unix(kind=socket.SOCK_STREAM):
    return socket.socket(socket.AF_UNIX, kind)


attempt('connect to nobody', lambda: unix().connect('nobody.sock'))
attempt('connect_ex to nobody', lambda: errno.errorcode[unix().connect_ex('nobody.sock')])
attempt('connect to no name', lambda: unix().connect('\0nobody'))
attempt('long path', lambda: unix().bind('x' * 108))
attempt('longest path', lambda: unix().connect('x' * 107))
attempt('long name', lambda: unix().bind('\0' + 'x' * 108))
attempt('longest name', lambda: unix().bind('\0' + 'x' * 107))
attempt('no path', lambda: unix().bind(('localhost', 8888)))
attempt('no directory', lambda: unix().bind('missing/s.sock'))

first = unix()
first.bind('s.sock')
attempt('connect to one that does not listen', lambda: unix().connect('s.sock'))
first.listen()
attempt('bind twice', lambda: unix().bind('s.sock'))
attempt('bind again', lambda: first.bind('t.sock'))
attempt('datagrams to a stream', lambda: unix(socket.SOCK_DGRAM).connect('s.sock'))
first.close()
attempt('bind to what is left', lambda: unix().bind('s.sock'))
attempt('connect to what is left', lambda: unix().connect('s.sock'))
print(os.path.exists('s.sock'), stat.S_ISSOCK(os.stat('s.sock').st_mode), os.path.isfile('s.sock'))
os.unlink('s.sock')
print(os.path.exists('s.sock'), os.path.lexists('s.sock'))
attempt('unlink again', lambda: os.unlink('s.sock'))
attempt('stat', lambda: os.stat('s.sock'))

with open('file', 'w') as file:
    file.write('a file')
attempt('bind to a file', lambda: unix().bind('file'))
os.remove('file')

attempt('recv unconnected', lambda: unix().recv(10))
attempt('send unconnected', lambda: unix().send(b'x'))
attempt('getpeername unconnected', lambda: unix().getpeername())
attempt('listen unbound', lambda: unix().listen())
attempt('accept without listen', lambda: unix().accept())
datagrams = unix(socket.SOCK_DGRAM)
attempt('send without address', lambda: datagrams.send(b'x'))
attempt('listen on datagrams', lambda: datagrams.listen())
attempt('other protocol', lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 6))

full = unix()
full.bind('\0full')
full.listen(0)
callers = [unix(), unix()]
callers[0].connect('\0full')
callers[1].setblocking(False)
attempt('full backlog', lambda: callers[1].connect('\0full'))
connection, _ = full.accept()
attempt('room again', lambda: callers[1].connect('\0full'))
full.accept()
attempt('connect twice', lambda: callers[1].connect('\0full'))
attempt('send to an address', lambda: callers[1].sendto(b'x', '\0full'))
waiting = unix()
waiting.setblocking(False)
waiting.bind('\0waiting')
waiting.listen()
attempt('accept without blocking', waiting.accept)
connection.setblocking(False)
attempt('recv without blocking', lambda: connection.recv(1))
connection.settimeout(0.05)
attempt('recv with a time-out', lambda: connection.recv(1))

# What is said after the other end has left something unread.
one, other = socket.socketpair()
one.sendall(b'never read')
other.sendall(b'last words')
other.close()
print(one.recv(4), one.recv(100))
attempt('send', lambda: one.send(b'x'))
attempt('recv', lambda: one.recv(1))
attempt('recv again', lambda: one.recv(1))

# Options of other levels.
either = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for level, option in ((socket.IPPROTO_TCP, socket.TCP_NODELAY), (socket.IPPROTO_IP, socket.IP_TTL), (77, 1)):
    attempt('get', lambda: one.getsockopt(level, option))
    attempt('set', lambda: either.setsockopt(level, option, 1))
attempt('get an unknown one', lambda: one.getsockopt(socket.SOL_SOCKET, 7777))
attempt('set an unknown one', lambda: one.setsockopt(socket.SOL_SOCKET, 7777, 1))
