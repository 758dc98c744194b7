# Half-close: the client says that it is done, and still gets its answer.
import socket

server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server_socket.bind(('localhost', 8888))
server_socket.listen(1)
print('Listening')

connection, address = server_socket.accept()
lines = b''
while data := connection.recv(7):
    lines += data
print('Everything:', lines)
print('The end stays the end:', connection.recv(10), connection.recv(10))
for line in lines.splitlines():
    connection.sendall(line[::-1] + b'\n')
connection.shutdown(socket.SHUT_WR)
print('Nothing more:', connection.recv(10))
try:
    connection.send(b'late')
except BrokenPipeError as error:
    print('After shutdown:', error)
connection.close()

connection, address = server_socket.accept()
connection.shutdown(socket.SHUT_RD)
print('After SHUT_RD:', connection.recv(10))
connection.sendall(b'still here')
connection.close()
server_socket.close()
