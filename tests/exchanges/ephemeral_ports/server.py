# Port 0: the system chooses a port, and everybody can ask which.
import socket

server_socket = socket.create_server(('127.0.0.1', 8888), backlog=2)
print('Listening at', server_socket.getsockname())
try:
    server_socket.getpeername()
except OSError as error:
    print('A listener has no peer:', error)

connection, address = server_socket.accept()
print('accept says', address)
print('getpeername says', connection.getpeername())
print('getsockname says', connection.getsockname())
lines = connection.makefile('rw')
print(connection.getpeername(), file=lines, flush=True)
print('Client is at the address it says:', lines.readline() == f'{address}\n')

# The answer goes to a port that only the client knows.
port = int(lines.readline())
print('Calling back on', port)
with socket.create_connection(('127.0.0.1', port)) as back:
    print('Called back at', back.getpeername())
    back.sendall(b'it is me')
lines.close()
connection.close()
server_socket.close()
