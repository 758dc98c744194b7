# A thread for every connection, whose last words are spoken while the main thread is back in accept().
import socket
import threading

ROUNDS = 100


def serve(connection):
    data = connection.recv(1024)
    connection.sendall(data.upper())
    connection.sendall(b', goodbye')
    connection.close()


server_socket = socket.create_server(('localhost', 8888))
print('listening')
for _ in range(ROUNDS):
    connection, _ = server_socket.accept()
    threading.Thread(target=serve, args=(connection,)).start()
connection, _ = server_socket.accept()
print('the last client said', connection.recv(1024).decode())
