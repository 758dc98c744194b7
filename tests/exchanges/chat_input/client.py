# A chat client: the main thread waits for what is typed, another prints what comes.
import socket
import threading


def listen(connection):
    for line in connection.makefile():
        print(line.rstrip())
    print('The chat is over')


connection = socket.create_connection(('localhost', 8888))
listener = threading.Thread(target=listen, args=(connection,))
listener.start()

while True:
    line = input()
    if line == '/quit':
        break
    connection.sendall(f'{line}\n'.encode())

connection.shutdown(socket.SHUT_WR)
listener.join()
connection.close()
