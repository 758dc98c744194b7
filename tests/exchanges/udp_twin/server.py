# A UDP server: every datagram is answered to whoever sent it.
import socket

server_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server_socket.bind(('localhost', 8888))
print('UDP server is ready on', server_socket.getsockname())

while True:
    message, client_address = server_socket.recvfrom(1024)
    print('Received', len(message), 'bytes from', client_address, message[:16])
    server_socket.sendto(b'Echo: ' + message, client_address)
    if message == b'bye':
        break

# Two datagrams that were sent apart are received apart, however much room there is.
for _ in range(3):
    message, client_address = server_socket.recvfrom(4096)
    print('Separate:', message)

# An over-long datagram is cut to the room that was given, and the rest of it is gone.
message, client_address = server_socket.recvfrom(8)
print('Cut to', len(message), message)
message, client_address = server_socket.recvfrom(100)
print('The next one is whole:', message)

buffer = bytearray(4)
count, client_address = server_socket.recvfrom_into(buffer)
print('Into a buffer:', count, buffer)
message, ancillary, flags, client_address = server_socket.recvmsg(5)
print('recvmsg:', message, 'truncated' if flags & socket.MSG_TRUNC else 'whole')

message, client_address = server_socket.recvfrom(65535)
print('The largest:', len(message), message == bytes(65507))
message, client_address = server_socket.recvfrom(100)
print('An empty one is a datagram too:', message)
server_socket.sendto(b'', client_address)
server_socket.sendto(bytes(2000), client_address)
server_socket.close()
