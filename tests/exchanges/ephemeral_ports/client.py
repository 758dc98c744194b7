# Looks at addresses from the other side.
import socket

unbound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
print('Before:', unbound.getsockname())
unbound.bind(('', 0))
print('Bound to', unbound.getsockname()[0], 0 < unbound.getsockname()[1])
unbound.close()

datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(('127.0.0.1', 0))
print('UDP port was chosen:', datagrams.getsockname()[1] != 0)
datagrams.close()

connection = socket.create_connection(('127.0.0.1', 8888))
print('I am', connection.getsockname())
print('The server is', connection.getpeername())
lines = connection.makefile('rw')
print('The server sees me the same:', lines.readline() == f'{connection.getsockname()}\n')
print(connection.getsockname(), file=lines, flush=True)

listener = socket.create_server(('127.0.0.1', 0))
port = listener.getsockname()[1]
print('Call me on', port)
print(port, file=lines, flush=True)
back, address = listener.accept()
print('Called by', address[0], back.getsockname() == ('127.0.0.1', port))
print(back.recv(100).decode())

print('Family and type:', connection.family.name, connection.type.name, connection.proto)
lines.close()
connection.close()
back.close()
listener.close()
