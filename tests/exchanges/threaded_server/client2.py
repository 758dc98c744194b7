# Client 2 of three.
import socket

with socket.create_connection(('localhost', 8888)) as connection:
    connection.sendall(b'client 2')
    print(connection.recv(1024).decode())
    for word in ['apple', 'banana', 'cherry']:
        connection.sendall(word.encode())
        print(word, '->', connection.recv(1024).decode())
