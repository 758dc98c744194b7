# Non-blocking sockets: a call that would have to wait says so instead.
import select
import socket

server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server_socket.bind(('localhost', 8888))
server_socket.listen(1)
server_socket.setblocking(False)
print('Blocking:', server_socket.getblocking(), server_socket.gettimeout())
try:
    server_socket.accept()
except BlockingIOError as error:
    print('accept:', error, error.errno)
print('Listening')

select.select([server_socket], [], [])
connection, address = server_socket.accept()
connection.setblocking(False)
received = b''
waits = 0
while not received.endswith(b'.'):
    try:
        received += connection.recv(4)
    except BlockingIOError:
        waits += 1
        select.select([connection], [], [])
print('Received', received, 'and had to wait:', 0 < waits)

# Nobody reads: after a while there is no more room, and send says so.
sent = 0
try:
    while True:
        sent += connection.send(b'x' * 65536)
except BlockingIOError as error:
    print('send:', error)
print('There was room for some of it:', 65536 < sent)
connection.close()
server_socket.close()
