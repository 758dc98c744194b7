# Socket options: what can be read, what can be set, and what is refused.
import errno
import socket
import struct


def attempt(what, action, *args):
    try:
        result = action(*args)
    except OSError as error:
        print(f'{what}: {type(error).__name__}: {error} ({errno.errorcode.get(error.errno, error.errno)})')
    else:
        print(f'{what}: {result!r}')


def pair():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    return client, server


client, server = pair()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

# What the kernel says of a socket.
print(client.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM)
print(udp.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_DGRAM)
print(client.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) == socket.AF_INET)
print(client.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == socket.IPPROTO_TCP)
print(udp.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == socket.IPPROTO_UDP)
with socket.create_server(('127.0.0.1', 0)) as listener:
    print(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 3)
    print('TCP_DEFER_ACCEPT:', listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
    print('TCP_FASTOPEN:', listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN))
print(client.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))

# Numbers that are read back as they were set, before and after.
NUMBERS = [
    (client, socket.SOL_SOCKET, 'SO_REUSEADDR', 1),
    (client, socket.SOL_SOCKET, 'SO_KEEPALIVE', 1),
    (client, socket.SOL_SOCKET, 'SO_OOBINLINE', 1),
    (udp, socket.SOL_SOCKET, 'SO_DONTROUTE', 1),
    (client, socket.SOL_SOCKET, 'SO_PRIORITY', 4),
    (client, socket.IPPROTO_TCP, 'TCP_NODELAY', 1),
    (client, socket.IPPROTO_TCP, 'TCP_CORK', 1),
    (client, socket.IPPROTO_TCP, 'TCP_KEEPIDLE', 30),
    (client, socket.IPPROTO_TCP, 'TCP_KEEPINTVL', 10),
    (client, socket.IPPROTO_TCP, 'TCP_KEEPCNT', 3),
    (client, socket.IPPROTO_TCP, 'TCP_SYNCNT', 2),
    (client, socket.IPPROTO_TCP, 'TCP_LINGER2', 20),
    (client, socket.IPPROTO_TCP, 'TCP_USER_TIMEOUT', 5000),
    (client, socket.IPPROTO_TCP, 'TCP_NOTSENT_LOWAT', 8192),
    (client, socket.IPPROTO_IP, 'IP_TTL', 7),
    (client, socket.IPPROTO_IP, 'IP_TOS', 0x10),
    (udp, socket.SOL_SOCKET, 'SO_BROADCAST', 1),
    (udp, socket.SOL_SOCKET, 'SO_REUSEPORT', 1),
    (udp, socket.IPPROTO_IP, 'IP_MULTICAST_TTL', 3),
    (udp, socket.IPPROTO_IP, 'IP_MULTICAST_LOOP', 0),
]
for sock, level, name, value in NUMBERS:
    option = getattr(socket, name)
    before = sock.getsockopt(level, option)
    sock.setsockopt(level, option, value)
    print(name, before, sock.getsockopt(level, option))
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
client.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, b'\x09')
print('one byte:', client.getsockopt(socket.IPPROTO_IP, socket.IP_TTL))
IP_MTU_DISCOVER, IP_MTU = 10, 14
udp.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, 2)
print('IP_MTU_DISCOVER:', udp.getsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER))
attempt('IP_MTU', udp.getsockopt, socket.IPPROTO_IP, IP_MTU)

# The kernel doubles a buffer's size, and cuts it to its limits.
for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
    sizes = []
    for size in (1, 20000, -1):
        udp.setsockopt(socket.SOL_SOCKET, option, size)
        sizes.append(udp.getsockopt(socket.SOL_SOCKET, option))
    print(sizes)

# Longer values.
print(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b'\0').isalnum())
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b'reno')
print(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16))
attempt('TCP_CONGESTION', client.setsockopt, socket.IPPROTO_TCP, socket.TCP_CONGESTION, b'pigeon')
client.sendall(bytes(100000))
server.recv(100000, socket.MSG_WAITALL)
info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
state, retransmits = info[0], info[2]
numbers = struct.unpack('24I', info[8:104])
print(len(info), state, retransmits, 0 < numbers[2], 0 < numbers[15])
print(len(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)))
print(client.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))

# What is refused.
attempt('of TCP on UDP', udp.setsockopt, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
attempt('of TCP on UDP', udp.getsockopt, socket.IPPROTO_TCP, socket.TCP_NODELAY)
attempt('TCP_KEEPIDLE', client.setsockopt, socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 0)
attempt('IP_TTL', client.setsockopt, socket.IPPROTO_IP, socket.IP_TTL, 256)
attempt('SO_TYPE', client.setsockopt, socket.SOL_SOCKET, socket.SO_TYPE, 1)
attempt('SO_ACCEPTCONN', client.setsockopt, socket.SOL_SOCKET, socket.SO_ACCEPTCONN, 1)
attempt('empty', client.setsockopt, socket.SOL_SOCKET, socket.SO_KEEPALIVE, b'')
attempt('unknown option', client.getsockopt, socket.SOL_SOCKET, 4242)
attempt('unknown option', client.setsockopt, socket.IPPROTO_TCP, 4242, 1)
client.close()
attempt('closed', client.getsockopt, socket.SOL_SOCKET, socket.SO_TYPE)
