# IPv6 over TCP and UDP, one listener for both families, and what goes wrong.
import errno
import socket
import threading


def attempt(what, action):
    try:
        result = action()
    except (OSError, TypeError, OverflowError, ValueError) as error:
        number = getattr(error, 'errno', None)
        print(f'{what}: {type(error).__name__}: {error} ({errno.errorcode.get(number, number)})')
    else:
        print(f'{what}: {result!r}')


def tcp6():
    return socket.socket(socket.AF_INET6, socket.SOCK_STREAM)


print(socket.has_ipv6, socket.has_dualstack_ipv6())

# One listener for both families.
server = socket.create_server(('', 8888), family=socket.AF_INET6, dualstack_ipv6=True)
print(server.getsockname(), server.family, server.type)
print('V6ONLY:', server.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
for address in [('127.0.0.1', 8888), ('::1', 8888), ('::ffff:127.0.0.1', 8888), ('localhost', 8888)]:
    client = socket.create_connection(address)
    connection, peer = server.accept()
    print(address[0], '->', client.family.name, client.getpeername(), connection.getsockname(), peer[0], peer[2:])
    assert peer[1] == client.getsockname()[1] and connection.getpeername() == peer
    assert repr(connection).startswith('<socket.socket fd='), connection
    client.sendall(b'x' * 100000)
    client.shutdown(socket.SHUT_WR)
    received = 0
    while data := connection.recv(65536):
        received += len(data)
    print('Received', received, connection.recvfrom(1))
    copy = connection.dup()
    print(copy.family.name, copy.type.name, copy.getsockname() == connection.getsockname())
    for each in (client, connection, copy):
        each.close()
    print(connection.family.name, connection.fileno())
attempt('an IPv4 socket on its port', lambda: socket.create_server(('127.0.0.1', 8888)))
attempt('another on its port', lambda: socket.create_server(('::1', 8888), family=socket.AF_INET6))
server.close()

# Two listeners side by side, as asyncio has them.
both = [socket.create_server(('', 8889), family=family) for family in (socket.AF_INET, socket.AF_INET6)]
print([each.getsockname() for each in both])
for host, listener in zip(('127.0.0.1', '::1'), both):
    client = socket.create_connection((host, 8889))
    connection, peer = listener.accept()
    print(peer[0])
    client.close()
    connection.close()
attempt('V6ONLY after bind', lambda: both[1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0))
for each in both:
    each.close()

# Without blocking, and with a time-out.
listener = tcp6()
listener.bind(('::1', 0))
listener.listen()
listener.setblocking(False)
attempt('accept without blocking', listener.accept)
listener.settimeout(0.05)
attempt('accept with a time-out', listener.accept)
client = tcp6()
client.setblocking(False)
print('connect_ex:', errno.errorcode[client.connect_ex(listener.getsockname())])
listener.settimeout(5)
connection, _ = listener.accept()
print('SO_ERROR:', client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), connection.gettimeout())
adopted = socket.socket(fileno=connection.detach())
print(adopted.family.name, adopted.type.name, adopted.getsockname()[0])
adopted.close()
client.close()
listener.close()

# Datagrams.
receiver = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
receiver.bind(('::', 8890))
for family, address in [
    (socket.AF_INET, ('127.0.0.1', 8890)),
    (socket.AF_INET6, ('::1', 8890)),
    (socket.AF_INET6, ('::ffff:127.0.0.1', 8890, 0, 0)),
]:
    sender = socket.socket(family, socket.SOCK_DGRAM)
    print(sender.sendto(b'one', address), sender.sendmsg([b't', b'wo'], [], 0, address))
    data, peer = receiver.recvfrom(10)
    print(data, peer[0], peer[2:], peer[1] == sender.getsockname()[1])
    buffer = bytearray(10)
    count, again = receiver.recvfrom_into(buffer)
    print(bytes(buffer[:count]), again == peer)
    receiver.sendto(b'answer', 0, peer)
    data, ancillary, flags, source = sender.recvmsg(100)
    print(data, ancillary, flags, source)
    sender.connect(address)
    print(sender.send(b'three'), sender.getpeername(), receiver.recvmsg_into([buffer])[0])
    sender.close()
receiver.close()

attempt('nobody', lambda: tcp6().connect(('::1', 8888)))
attempt('a tuple is needed', lambda: tcp6().connect('::1'))
attempt('a port is needed', lambda: tcp6().connect(('::1',)))
attempt('the port is too large', lambda: tcp6().bind(('::1', 70000)))
attempt('the flow label is too large', lambda: tcp6().bind(('::1', 0, 1 << 20)))
attempt('an IPv4 address', lambda: tcp6().connect(('127.0.0.1', 80)))
attempt('an unknown name', lambda: tcp6().connect(('no-such-host.invalid', 80)))
attempt('nobody here', lambda: tcp6().bind(('2001:db8::1', 0)))
attempt('link-local without a link', lambda: tcp6().bind(('fe80::1', 0)))
only = tcp6()
only.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
attempt('IPv6 only, and IPv4', lambda: only.bind(('::ffff:127.0.0.1', 0)))
attempt('unconnected', lambda: tcp6().getpeername())
print(tcp6().getsockname(), tcp6().getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
for option in (socket.IPV6_UNICAST_HOPS, socket.IPV6_MULTICAST_HOPS, socket.IPV6_MULTICAST_LOOP):
    some = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    before = some.getsockopt(socket.IPPROTO_IPV6, option)
    some.setsockopt(socket.IPPROTO_IPV6, option, 0 if option == socket.IPV6_MULTICAST_LOOP else 5)
    print(before, some.getsockopt(socket.IPPROTO_IPV6, option))

for text in ['::', '::1', '::ffff:1.2.3.4', '::1.2.3.4', '2001:DB8:0:0:1:0:0:1', 'fe80::1', '1:2', '::1%lo', '127.0.0.1']:
    attempt(text, lambda: socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text)))
attempt('three bytes', lambda: socket.inet_ntop(socket.AF_INET6, b'abc'))

# A second thread in accept.
server = socket.create_server(('::1', 8891), family=socket.AF_INET6)


def serve():
    connection, _ = server.accept()
    with connection, connection.makefile('rw') as stream:
        stream.write(stream.readline().upper())


thread = threading.Thread(target=serve)
thread.start()
with socket.create_connection(('localhost', 8891)) as client:
    client.sendall(b'hello\n')
    print(client.recv(100))
thread.join()
