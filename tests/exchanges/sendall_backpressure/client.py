# Sends 10 MB at once. sendall returns when the last byte has found room, which takes the reader's help.
import hashlib
import socket

data = bytes(range(256)) * 40960
print('Sending', len(data), 'bytes')
connection = socket.create_connection(('localhost', 8888))
connection.sendall(data)
print('Sent')
connection.shutdown(socket.SHUT_WR)
answer = connection.recv(64)
print('The same bytes:', answer == hashlib.sha256(data).digest())
connection.close()
