# A turn is due at every place where one is looked for, also where the two languages meet.
import socket
import sys
import threading
import time


def slow(frame, event, argument):
    end = time.perf_counter() + 0.011
    while time.perf_counter() < end:
        pass


sys.setprofile(slow)
one, other = socket.socketpair()
sys.setprofile(None)
one.sendall(b'through')
print(other.recv(10))
