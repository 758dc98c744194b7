# What comes beside a datagram, and what can be sent with one.
import errno
import socket
import struct
import time

# Not every version of Python knows all of these by name.
SO_TIMESTAMP, SO_TIMESTAMPNS = 29, 35
IP_PKTINFO, IP_RECVTTL, IP_RECVTOS = 8, 12, 13
NAMES = {
    (socket.IPPROTO_IP, IP_PKTINFO): 'IP_PKTINFO',
    (socket.IPPROTO_IP, socket.IP_TTL): 'IP_TTL',
    (socket.IPPROTO_IP, socket.IP_TOS): 'IP_TOS',
    (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO): 'IPV6_PKTINFO',
    (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT): 'IPV6_HOPLIMIT',
    (socket.IPPROTO_IPV6, socket.IPV6_TCLASS): 'IPV6_TCLASS',
    (socket.SOL_SOCKET, SO_TIMESTAMP): 'SO_TIMESTAMP',
    (socket.SOL_SOCKET, SO_TIMESTAMPNS): 'SO_TIMESTAMPNS',
}


def attempt(what, action, *args):
    try:
        result = action(*args)
    except (OSError, OverflowError, TypeError, ValueError) as error:
        number = errno.errorcode.get(getattr(error, 'errno', None))
        print(f'{what}: {type(error).__name__}: {error} ({number})')
    else:
        print(f'{what}: {result!r}')


def shown(level, kind, data):
    name = NAMES.get((level, kind), (level, kind))
    if name == 'IP_PKTINFO':
        index, own, to = struct.unpack('@I4s4s', data)
        return name, socket.if_indextoname(index), socket.inet_ntoa(own), socket.inet_ntoa(to)
    if name == 'IPV6_PKTINFO':
        to, index = struct.unpack('@16sI', data)
        return name, socket.if_indextoname(index), socket.inet_ntop(socket.AF_INET6, to)
    if name == 'SO_TIMESTAMP':
        seconds, micros = struct.unpack('=qq', data)
        return name, abs(time.time() - seconds - micros / 1e6) < 60
    if name == 'SO_TIMESTAMPNS':
        seconds, nanos = struct.unpack('=qq', data)
        return name, abs(time.time() - seconds - nanos / 1e9) < 60
    if name == 'IP_TOS':
        return name, data
    return name, *struct.unpack('@i', data)


def receive(sock, size=100, room=1000, flags=0):
    data, ancdata, told, address = sock.recvmsg(size, room, flags)
    print(data, [shown(*each) for each in ancdata], told, address[0])


def udp(family, address, options=()):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    for level, option in options:
        sock.setsockopt(level, option, 1)
        print(sock.getsockopt(level, option), end=' ')
    print()
    sock.bind((address, 0))
    return sock


# The lengths that programs compute with.
print([socket.CMSG_LEN(length) for length in (0, 1, 4, 12, 20)])
print([socket.CMSG_SPACE(length) for length in (0, 1, 4, 12, 20)])
attempt('CMSG_LEN', socket.CMSG_LEN, -1)
attempt('CMSG_SPACE', socket.CMSG_SPACE, -1)
attempt('CMSG_SPACE', socket.CMSG_SPACE, 0x7FFFFFFF)
attempt('CMSG_LEN', socket.CMSG_LEN, '1')

# IPv4.
IP = socket.IPPROTO_IP
server = udp(socket.AF_INET, '0.0.0.0', [(IP, IP_PKTINFO), (IP, IP_RECVTTL), (IP, IP_RECVTOS)])
plain = udp(socket.AF_INET, '127.0.0.1')
to = ('127.0.0.1', server.getsockname()[1])
plain.sendto(b'usual', to)
receive(server)
plain.setsockopt(IP, socket.IP_TTL, 7)
plain.setsockopt(IP, socket.IP_TOS, 0x10)
plain.sendto(b'options', to)
receive(server, flags=socket.MSG_PEEK)
receive(server)
plain.sendmsg([b'of ', b'one'], [(IP, socket.IP_TTL, struct.pack('@i', 3)), (IP, socket.IP_TOS, b'\x20')], 0, to)
receive(server)
plain.sendmsg([b'from'], [(IP, IP_PKTINFO, struct.pack('@I4s4s', 0, bytes([127, 0, 0, 1]), bytes(4)))], 0, to)
receive(server)
plain.connect(to)
plain.sendmsg([b'connected'], [(IP, socket.IP_TTL, struct.pack('@i', 9))])
receive(server)
plain.sendto(b'', to)
receive(server)

# Who wants nothing gets nothing, and other calls get the data alone.
server.sendto(b'answer', plain.getsockname())
receive(plain)
plain.send(b'recvfrom')
print(server.recvfrom(100)[0])
plain.send(b'recv')
print(server.recv(100))
buffer = bytearray(4)
plain.send(b'recvmsg_into')
count, ancdata, told, address = server.recvmsg_into([buffer], 1000)
print(count, buffer, [shown(*each) for each in ancdata], told == socket.MSG_TRUNC)

# Too little room.
space = socket.CMSG_SPACE
for room in (0, 15, 16, 20, socket.CMSG_LEN(12), space(12), space(12) + 18, space(12) + space(4), 100):
    plain.send(b'x')
    data, ancdata, told, address = server.recvmsg(10, room)
    print(room, [(level, kind, len(value)) for level, kind, value in ancdata], told == socket.MSG_CTRUNC)
server.setsockopt(IP, IP_RECVTTL, 0)
server.setsockopt(IP, IP_RECVTOS, 0)
plain.send(b'less')
receive(server)

# Time stamps.
for option in (SO_TIMESTAMP, SO_TIMESTAMPNS):
    server.setsockopt(socket.SOL_SOCKET, option, 1)
    plain.send(b'now')
    receive(server)

# What is refused.
for what, ancdata in [
    ('a TTL of zero', [(IP, socket.IP_TTL, struct.pack('@i', 0))]),
    ('a TTL of 256', [(IP, socket.IP_TTL, struct.pack('@i', 256))]),
    ('a short TTL', [(IP, socket.IP_TTL, b'\x01')]),
    ('no such interface', [(IP, IP_PKTINFO, struct.pack('@I4s4s', 77, bytes(4), bytes(4)))]),
    ('a foreign address', [(IP, IP_PKTINFO, struct.pack('@I4s4s', 0, bytes([10, 9, 8, 7]), bytes(4)))]),
    ('a short PKTINFO', [(IP, IP_PKTINFO, bytes(4))]),
    ('an unknown kind', [(IP, 4242, b'')]),
    ('another level', [(4242, 1, b'')]),
    ('of IPv6', [(socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, struct.pack('@i', 3))]),
]:
    attempt(what, plain.sendmsg, [b'y'], ancdata)

# IPv6, and IPv4 in it.
IPV6 = socket.IPPROTO_IPV6
OPTIONS = [(IPV6, socket.IPV6_RECVPKTINFO), (IPV6, socket.IPV6_RECVHOPLIMIT), (IPV6, socket.IPV6_RECVTCLASS)]
server = udp(socket.AF_INET6, '::', OPTIONS)
six = udp(socket.AF_INET6, '::1')
four = udp(socket.AF_INET, '127.0.0.1')
port = server.getsockname()[1]
six.sendto(b'usual', ('::1', port))
receive(server)
own = socket.inet_pton(socket.AF_INET6, '::1')
six.sendmsg(
    [b'all'],
    [
        (IPV6, socket.IPV6_HOPLIMIT, struct.pack('@i', 5)),
        (IPV6, socket.IPV6_TCLASS, struct.pack('@i', 0x20)),
        (IPV6, socket.IPV6_PKTINFO, struct.pack('@16sI', own, 0)),
    ],
    0,
    ('::1', port),
)
receive(server)
six.sendmsg([b'default'], [(IPV6, socket.IPV6_HOPLIMIT, struct.pack('@i', -1))], 0, ('::1', port))
receive(server)
four.sendto(b'mapped', ('127.0.0.1', port))
receive(server)
for what, ancdata in [
    ('a limit of 256', [(IPV6, socket.IPV6_HOPLIMIT, struct.pack('@i', 256))]),
    ('no such interface', [(IPV6, socket.IPV6_PKTINFO, struct.pack('@16sI', bytes(16), 77))]),
    ('a foreign address', [(IPV6, socket.IPV6_PKTINFO, struct.pack('@16sI', bytes([0xFD] * 16), 0))]),
]:
    attempt(what, six.sendmsg, [b'y'], ancdata, 0, ('::1', port))

# A stream has nothing beside its data.
with socket.create_server(('127.0.0.1', 0)) as listener:
    client = socket.create_connection(listener.getsockname())
    stream, _ = listener.accept()
print(client.sendmsg([b'one', b'two']))
print(stream.recvmsg(3, 100, socket.MSG_PEEK))
print(stream.recvmsg(3, 100))
one, two = bytearray(2), bytearray(10)
print(stream.recvmsg_into([one, two], 100), one, two)
client.close()
print(stream.recvmsg(3, 100))
