# 200 threads, each of which waits for its own client.
import socket
import threading

THREADS = 200
results = [None] * THREADS


def serve(number, connection):
    with connection:
        total = 0
        while data := connection.recv(64):
            total += len(data)
            connection.sendall(data)
        results[number] = total


listener = socket.create_server(('localhost', 8888), backlog=THREADS)
clients = []
threads = []
for number in range(THREADS):
    clients.append(socket.create_connection(('localhost', 8888)))
    connection, _ = listener.accept()
    thread = threading.Thread(target=serve, args=(number, connection))
    thread.start()
    threads.append(thread)
print('Threads:', threading.active_count())

for number, client in enumerate(clients):
    client.sendall(b'%d' % number)
print('Echoes:', all(client.recv(64) == b'%d' % number for number, client in enumerate(clients)))
for client in clients:
    client.close()
for thread in threads:
    thread.join()
print('Totals:', results == [len(str(number)) for number in range(THREADS)])
print('Threads left:', threading.active_count())
