# A server that waits for ever, until Ctrl-C.
import socket

server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server_socket.bind(('localhost', 8888))
server_socket.listen()
print('Waiting for a client')
try:
    connection, address = server_socket.accept()
except KeyboardInterrupt:
    print('Ctrl-C')
finally:
    server_socket.close()
    print('Cleaned up')
