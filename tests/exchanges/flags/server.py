# Flags of recv and send, buffers, and what becomes of connections that end otherwise than politely.
import errno
import select
import socket
import struct
import threading


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


def ready(sock, events=select.POLLIN):
    poll = select.poll()
    poll.register(sock, events)
    return poll.poll(10000)[0][1]


# Streams.
client, server = pair()
attempt('MSG_DONTWAIT, nothing there', server.recv, 10, socket.MSG_DONTWAIT)
client.sendall(b'0123456789')
ready(server)
attempt('MSG_PEEK', server.recv, 4, socket.MSG_PEEK)
attempt('MSG_PEEK again', server.recv, 4, socket.MSG_PEEK)
buffer = bytearray(8)
attempt('recv_into', server.recv_into, buffer, 4)
print(buffer)
attempt('recv_into a part', server.recv_into, memoryview(buffer)[4:])
print(buffer)
attempt('recv_into too little', lambda: server.recv_into(bytearray(1), 1))
threading.Timer(0.05, client.sendall, (b'and the rest',)).start()
attempt('MSG_WAITALL', server.recv, 13, socket.MSG_WAITALL)
threading.Timer(0.05, client.shutdown, (socket.SHUT_WR,)).start()
client.sendall(b'short')
attempt('MSG_WAITALL to the end', server.recv, 100, socket.MSG_WAITALL)
attempt('the end', server.recv_into, buffer)
attempt('recvmsg at the end', server.recvmsg, 10)
attempt('sendmsg', server.sendmsg, [b'one', b'', b'two'])
first, second = bytearray(4), bytearray(4)
ready(client)
attempt('recvmsg_into', client.recvmsg_into, [first, second])
print(first, second)
client.close()
server.close()

# Datagrams.
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(('127.0.0.1', 8888))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.connect(('127.0.0.1', 8888))
for _ in range(6):
    sender.send(b'0123456789')
attempt('MSG_PEEK', receiver.recv, 100, socket.MSG_PEEK)
attempt('cut', receiver.recv, 4)
buffer = bytearray(4)
attempt('MSG_TRUNC', receiver.recv_into, buffer, 4, socket.MSG_TRUNC)
attempt('MSG_TRUNC and MSG_PEEK', receiver.recv_into, buffer, 4, socket.MSG_TRUNC | socket.MSG_PEEK)
data, ancillary, flags, peer = receiver.recvmsg(4)
print(data, ancillary, flags == socket.MSG_TRUNC, peer == sender.getsockname())
data, ancillary, flags, peer = receiver.recvmsg(40)
print(data, ancillary, flags)
count, peer = receiver.recvfrom_into(buffer)
print(count, buffer, peer == sender.getsockname())
attempt('MSG_WAITALL', receiver.recv, 100, socket.MSG_WAITALL)
attempt('MSG_DONTWAIT', receiver.recv, 100, socket.MSG_DONTWAIT)
sender.send(b'')
attempt('empty', receiver.recv, 100)
attempt('too long', sender.send, bytes(65508))
receiver.close()

# Nobody is there any more: a connected socket hears of it.
sender.send(b'?')
print(ready(sender, 0) == select.POLLERR)
attempt('recv', sender.recv, 10)
sender.send(b'?')
ready(sender, 0)
print('SO_ERROR:', errno.errorcode[sender.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)])
print('SO_ERROR:', sender.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
sender.close()

# Reset by SO_LINGER, and by closing with unread data.
client, server = pair()
client.sendall(b'data')
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
print(struct.unpack('ii', client.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)))
client.close()
ready(server, select.POLLHUP)
attempt('after a reset', lambda: [server.recv(10), server.recv(10)])
attempt('and then', server.recv, 10)
attempt('and then', server.send, b'x')
server.close()
client, server = pair()
client.sendall(b'never read')
ready(server)
server.close()
ready(client, select.POLLHUP)
attempt('unread', client.recv, 10)
client.close()

# A connect that is under way.
for port, what in [(8889, 'nobody'), (None, 'somebody')]:
    listener = None
    if port is None:
        listener = socket.create_server(('127.0.0.1', 0))
        port = listener.getsockname()[1]
    client = socket.socket()
    client.setblocking(False)
    print(what, errno.errorcode[client.connect_ex(('127.0.0.1', port))])
    print(bool(ready(client, select.POLLOUT) & select.POLLOUT))
    error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    print(errno.errorcode.get(error, error), client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    if listener:
        print(errno.errorcode.get(client.connect_ex(('127.0.0.1', port)), 0), client.getpeername()[0])
        listener.close()
    client.close()
