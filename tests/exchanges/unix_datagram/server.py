# Datagrams at a path and at an abstract name, and who has sent them.
import os
import select
import socket

named = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
named.bind('in.sock')
abstract = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
abstract.bind('\0in')
print(named.getsockname(), abstract.getsockname())
print('is ready')
for _ in range(3):
    print(named.recvfrom(100))
print(named.recvfrom(2))
buffers = [bytearray(3), bytearray(10)]
print(named.recvmsg_into(buffers), buffers)
readable, _, _ = select.select([abstract], [], [])
data, sender = abstract.recvfrom(100)
print(data, sender[0], len(sender))
abstract.sendto(b'answer', sender)
os.remove('in.sock')
print(abstract.recv(100))
