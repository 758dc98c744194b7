# A threaded server: a thread for every client, three clients at once.
import socket
import threading

CLIENTS = 3
everybody_is_here = threading.Barrier(CLIENTS)
lock = threading.Lock()
served = []


def serve(connection, address):
    with connection:
        name = connection.recv(1024).decode()
        # Nobody is answered before all have spoken: the clients really are served at once.
        everybody_is_here.wait()
        connection.sendall(f'Welcome, {name}!'.encode())
        total = 0
        while data := connection.recv(1024):
            total += len(data)
            connection.sendall(data.upper())
    with lock:
        served.append((name, total))


server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server_socket.bind(('localhost', 8888))
server_socket.listen()
print('Waiting for', CLIENTS, 'clients')

threads = []
for _ in range(CLIENTS):
    connection, address = server_socket.accept()
    thread = threading.Thread(target=serve, args=(connection, address))
    thread.start()
    threads.append(thread)
for thread in threads:
    thread.join()
server_socket.close()

print('Served', sorted(served))
print('Threads left:', threading.active_count())
