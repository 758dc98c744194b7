# A TCP client: says hello and prints the answer.
import socket

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(('localhost', 8888))

client.send('Hello from the client! 服务器，你好！'.encode())

data = client.recv(1024)
print('Received:', data.decode())
client.close()
