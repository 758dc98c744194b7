# A UDP client: sends datagrams of all sizes, connected and unconnected.
import socket

client_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server_address = ('localhost', 8888)

for message in [b'Hello', b'x' * 1000, b'bye']:
    sent = client_socket.sendto(message, server_address)
    answer, address = client_socket.recvfrom(2048)
    print('Sent', sent, 'and got', len(answer), 'bytes from', address)

client_socket.sendto(b'one', server_address)
client_socket.sendto(b'two', server_address)
client_socket.sendto(b'three', server_address)
client_socket.sendto(b'0123456789abcdef', server_address)
client_socket.sendto(b'next', server_address)
client_socket.sendto(b'buffer', server_address)
client_socket.sendto(b'message', server_address)

try:
    client_socket.sendto(bytes(65508), server_address)
except OSError as error:
    print('Too long:', error)
print('The longest:', client_socket.sendto(bytes(65507), server_address))

# A connected UDP socket needs no address, and hears only its peer.
client_socket.connect(server_address)
print('Connected to', client_socket.getpeername())
client_socket.send(b'')
print('Empty:', client_socket.recv(10))
print('Cut:', len(client_socket.recv(1500)))
client_socket.close()
