# A TCP server: waits for a client, then answers it.
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
# Lets the next run use the port at once.
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(('localhost', 8888))
server.listen(5)
print('Listening on port 8888 ...')

connection, address = server.accept()
print('Connected by', address)

data = connection.recv(1024)
print('Received:', data.decode())

connection.send('Hello from the server! 客户端，你好！'.encode())
connection.close()
server.close()
