# A slow reader: it does not read before it is told to, and then in small pieces.
import hashlib
import socket

server_socket = socket.create_server(('localhost', 8888))
print('Listening')
connection, address = server_socket.accept()
print('Connected, but not reading yet')
input()

digest = hashlib.sha256()
total = 0
while data := connection.recv(8192):
    digest.update(data)
    total += len(data)
print('Received', total, 'bytes', digest.hexdigest())
connection.sendall(digest.digest())
connection.close()
server_socket.close()
