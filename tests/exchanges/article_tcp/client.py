# A TCP client: connects, says hello, prints the answer.
import socket

client_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client_socket.connect(('localhost', 8888))

client_socket.send('Hello, server! 你好，服务器！'.encode('utf-8'))

data = client_socket.recv(1024)
print('Received from server:', data.decode('utf-8'))

client_socket.close()
