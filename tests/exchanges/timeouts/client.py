# Answers when it is asked to, and not before.
import socket

connection = socket.create_connection(('localhost', 8888), timeout=30)
print('create_connection:', connection.gettimeout())
connection.settimeout(None)
print('Asked:', connection.recv(1024))
connection.sendall(b'answer')
connection.close()

receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(('localhost', 0))
receiver.settimeout(0.05)
try:
    receiver.recvfrom(100)
except TimeoutError as error:
    print('recvfrom:', error)

socket.setdefaulttimeout(1.5)
print('New sockets:', socket.socket().gettimeout())
