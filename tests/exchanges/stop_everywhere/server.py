# Ctrl-C reaches the main thread wherever it waits: the person says where.
import queue
import select
import socket
import threading
import time

server_socket = socket.create_server(('localhost', 8888))
one = socket.create_connection(('localhost', 8888))
other, _ = server_socket.accept()
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(('localhost', 8888))


def wait_for_send():
    while True:
        one.send(bytes(65536))


def wait_for_lock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def wait_for_thread():
    thread = threading.Thread(target=time.sleep, args=(600,), daemon=True)
    thread.start()
    thread.join()


def wait_with_timeout():
    other.settimeout(600)
    other.recv(10)


waits = {
    'recv': lambda: other.recv(10),
    'recvfrom': lambda: receiver.recvfrom(10),
    'recv with a time-out': wait_with_timeout,
    'select': lambda: select.select([other, server_socket], [], []),
    'sleep': lambda: time.sleep(600),
    'input': input,
    'lock': wait_for_lock,
    'join': wait_for_thread,
    'queue': lambda: queue.Queue().get(),
    'makefile': lambda: other.makefile().readline(),
    'send': wait_for_send,
}
name = input()
try:
    print('Waiting in', name)
    waits[name]()
except KeyboardInterrupt:
    print('Interrupted in', name)
