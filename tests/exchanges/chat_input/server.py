# A chat partner: greets, answers every line, and speaks unasked when it is told to.
import socket

server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server_socket.bind(('localhost', 8888))
server_socket.listen(1)
print('Chat is open')

connection, address = server_socket.accept()
connection.sendall(b'Welcome to the chat!\n')
remark = input()
connection.sendall(f'{remark}\n'.encode())
for line in connection.makefile():
    print('Client says:', line.rstrip())
    connection.sendall(f'You said: {line}'.encode())
print('The client has left')
connection.close()
server_socket.close()
