# Talks with the server at its path, twice, and removes the path.
import os
import socket

with socket.socket(socket.AF_UNIX) as first:
    first.connect('echo.sock')
    print(repr(first.getsockname()), first.getpeername())
    first.sendall(b'hello\n')
    print(first.recvfrom(100))
    first.sendall(b'pid\n')
    print(first.recv(100) == f'> {os.getpid()}\n'.encode())
    first.shutdown(socket.SHUT_WR)
    print(first.recv(100))

second = socket.socket(socket.AF_UNIX)
second.bind('\0client')
second.settimeout(5)
second.connect(os.path.abspath('echo.sock'))
print(second.getsockname(), socket.AF_UNIX in socket.AddressFamily)
second.send(b'bye\n')
print(second.recv_into(bytearray(100)))
os.unlink('echo.sock')
second.close()
late = socket.socket(socket.AF_UNIX)
try:
    late.connect('echo.sock')
except OSError as error:
    print(type(error).__name__, error)
