# One thread, many sockets: select says which of them can go on.
import select
import socket

listeners = []
for port in (8888, 8889):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(('localhost', port))
    listener.listen()
    listeners.append(listener)
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(('localhost', 8888))

print('Nothing yet:', select.select(listeners + [datagrams], [], [], 0))
print('Nothing soon:', select.select(listeners + [datagrams], [], [], 0.05))
print('Writable at once:', select.select([], [datagrams], [])[1] == [datagrams])
print('Listening')

inputs = listeners + [datagrams]
totals = {}
log = []
finished = 0
while finished < 4:
    readable, _, _ = select.select(inputs, [], [])
    for ready in readable:
        if ready in listeners:
            connection, _ = ready.accept()
            inputs.append(connection)
            totals[connection] = (ready.getsockname()[1], b'')
        elif ready is datagrams:
            message, address = datagrams.recvfrom(1024)
            log.append(('datagram', message))
            datagrams.sendto(message, address)
            finished += 1
        else:
            port, total = totals[ready]
            data = ready.recv(16)
            totals[ready] = (port, total + data)
            if not data:
                log.append((f'port {port}', total))
                inputs.remove(ready)
                ready.sendall(str(len(total)).encode())
                ready.close()
                finished += 1

for entry in sorted(log):
    print(entry)
for open_socket in inputs:
    open_socket.close()
print('Closed sockets have no number:', inputs[0].fileno())
try:
    select.select([inputs[0]], [], [], 0)
except ValueError as error:
    print('select:', error)
