# A TCP server: one client, one message each way.
import socket

server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server_socket.bind(('localhost', 8888))
server_socket.listen(5)
print('Server is listening on port 8888...')

client_socket, client_address = server_socket.accept()
print(f'Connection from {client_address} has been established.')

data = client_socket.recv(1024)
print('Received from client:', data.decode('utf-8'))

client_socket.send('Hello, client! 你好，客户端！'.encode('utf-8'))

client_socket.close()
server_socket.close()
