# Three connections and a datagram at the same time, interleaved.
import selectors
import socket

connections = [socket.create_connection(('localhost', port)) for port in (8888, 8889, 8888)]
for round in range(3):
    for number, connection in enumerate(connections):
        connection.sendall(b'%d-%d ' % (number, round))

datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.sendto(b'hello', ('localhost', 8888))
print('Echo:', datagrams.recv(100))
datagrams.close()

selector = selectors.DefaultSelector()
for number, connection in enumerate(connections):
    connection.shutdown(socket.SHUT_WR)
    selector.register(connection, selectors.EVENT_READ, number)

answers = {}
while len(answers) < len(connections):
    for key, _ in selector.select():
        answers[key.data] = key.fileobj.recv(100)
        selector.unregister(key.fileobj)
        key.fileobj.close()
print('Counts:', sorted(answers.items()))
