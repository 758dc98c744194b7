# An error that nobody catches: the traceback leads through the program's own lines.
import socket
import threading


def connect(port):
    connection = socket.socket()
    connection.connect(('localhost', port))
    return connection


def work():
    values = [1, 2, 3]
    return values[3]


try:
    connect(8888)
except ConnectionRefusedError as error:
    print('Caught', error)

thread = threading.Thread(target=work, name='worker')
thread.start()
thread.join()

try:
    {}['key']
except KeyError:
    connect(8889)
