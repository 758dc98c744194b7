# Time-outs: every call that can wait gives up when it was told to, and works again afterwards.
import socket
import time

server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server_socket.bind(('localhost', 8888))
server_socket.listen(1)
print('No time-out:', server_socket.gettimeout())

server_socket.settimeout(0.2)
print('With time-out:', server_socket.gettimeout())
begin = time.monotonic()
try:
    server_socket.accept()
except TimeoutError as error:
    print('accept:', repr(error), 0.19 < time.monotonic() - begin < 5)
print('The old name:', socket.timeout is TimeoutError)
print('Listening')

server_socket.settimeout(None)
connection, address = server_socket.accept()
print('Accepted sockets wait for ever:', connection.gettimeout())

connection.settimeout(0.1)
for _ in range(2):
    try:
        connection.recv(1024)
    except socket.timeout as error:
        print('recv:', error)
connection.sendall(b'now')
connection.settimeout(30)
print('Received:', connection.recv(1024))
connection.close()
server_socket.close()
