# What goes wrong, and what it is called: every error with its class, number and text.
import errno
import socket


def attempt(what, action):
    try:
        result = action()
    except OSError as error:
        number = errno.errorcode.get(error.errno, error.errno)
        print(f'{what}: {type(error).__name__}: {error} ({number})')
    else:
        print(f'{what}: no error, {result!r}')


def tcp():
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def pair(port):
    listener = tcp()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('localhost', port))
    listener.listen(1)
    one = socket.create_connection(('localhost', port))
    other, _ = listener.accept()
    listener.close()
    return one, other


attempt('connect to nobody', lambda: tcp().connect(('localhost', 8888)))
attempt('connect_ex to nobody', lambda: errno.errorcode[tcp().connect_ex(('localhost', 8888))])
attempt('create_connection to nobody', lambda: socket.create_connection(('127.0.0.1', 8888)))

first = tcp()
first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
first.bind(('localhost', 8888))
first.listen()
attempt('bind twice', lambda: tcp().bind(('localhost', 8888)))
attempt('bind again', lambda: first.bind(('localhost', 8889)))
attempt('create_server', lambda: socket.create_server(('localhost', 8888)))
client = socket.create_connection(('localhost', 8888))
connection, _ = first.accept()
# The side that closes first has to remember the connection for a while, and the port with it (TIME_WAIT).
connection.close()
print('End:', client.recv(10))
client.close()
first.close()
attempt('bind while it is remembered', lambda: tcp().bind(('localhost', 8888)))
second = tcp()
second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
print('SO_REUSEADDR:', second.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR))
attempt('bind with SO_REUSEADDR', lambda: second.bind(('localhost', 8888)))
second.close()

one, other = pair(8890)
other.shutdown(socket.SHUT_WR)
attempt('send after shutdown', lambda: other.send(b'x'))
other.close()


def send_for_ever():
    while True:
        one.send(b'x')


attempt('send to a closed peer', send_for_ever)
one.close()

one, other = pair(8891)
one.send(b'never read')
print('Peeked:', other.recv(5, socket.MSG_PEEK))
other.close()
attempt('peer closed with unread data', lambda: one.recv(10))
attempt('and once more', lambda: one.recv(10))
one.close()

attempt('recv unconnected', lambda: tcp().recv(10))
attempt('send unconnected', lambda: tcp().send(b'x'))
attempt('getpeername unconnected', lambda: tcp().getpeername())
attempt('shutdown unconnected', lambda: tcp().shutdown(socket.SHUT_RDWR))
attempt('accept without listen', lambda: tcp().accept())
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
attempt('send without address', lambda: datagrams.send(b'x'))
attempt('listen on UDP', lambda: datagrams.listen())

one, other = pair(8892)
attempt('connect twice', lambda: one.connect(('localhost', 8892)))
one.close()
attempt('use after close', lambda: one.send(b'x'))
attempt('close after close', lambda: one.close())
other.close()

attempt('unknown name', lambda: tcp().connect(('no-such-host.invalid', 80)))
attempt('gethostbyname', lambda: socket.gethostbyname('no-such-host.invalid'))
attempt('getaddrinfo', lambda: socket.getaddrinfo('no-such-host.invalid', 80))
attempt('address of nobody here', lambda: tcp().bind(('192.0.2.1', 8888)))

for wrong in [('localhost', 70000), ('localhost', 'eighty'), 'localhost']:
    try:
        tcp().bind(wrong)
    except (OverflowError, TypeError) as error:
        print(f'bind({wrong!r}): {type(error).__name__}: {error}')

waiting = socket.create_server(('localhost', 8893))
waiting.settimeout(0.05)
attempt('accept with a time-out', waiting.accept)
waiting.setblocking(False)
attempt('accept without blocking', waiting.accept)
