# Sends a few lines, half-closes, and reads the answer to its end.
import socket

connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
connection.connect(('localhost', 8888))
for line in [b'first\n', b'second\n', b'third\n']:
    connection.sendall(line)
connection.shutdown(socket.SHUT_WR)
answer = b''
while True:
    data = connection.recv(1024)
    if not data:
        break
    answer += data
print('Answer:', answer)
connection.close()

connection = socket.create_connection(('localhost', 8888))
print('One-way:', connection.recv(100), connection.recv(100))
connection.close()
