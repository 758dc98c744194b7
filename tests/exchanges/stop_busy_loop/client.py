# One computation in C that lasts for minutes, with a socket open: no Ctrl-C gets in between.
import socket

server_socket = socket.create_server(('localhost', 8888))
print('Computing')
print(sum(range(10 ** 12)))
