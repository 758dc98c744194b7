# Alarms while the program computes and while it waits, and signals to oneself.
import os
import signal
import socket

got = []
signal.signal(signal.SIGALRM, lambda number, frame: got.append(number))
print(signal.alarm(5), signal.alarm(0) in (4, 5))
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
while len(got) < 3:
    pass
print(got[:3], signal.getitimer(signal.ITIMER_REAL)[1])
print(round(signal.setitimer(signal.ITIMER_REAL, 0)[1], 3), signal.getitimer(signal.ITIMER_REAL))


def too_slow(number, frame):
    raise TimeoutError('too slow')


signal.signal(signal.SIGALRM, too_slow)
listener = socket.create_server(('127.0.0.1', 0))
signal.setitimer(signal.ITIMER_REAL, 0.1)
try:
    listener.accept()
except TimeoutError as error:
    print('accept:', error)

# An alarm that does not raise lets the call go on (PEP 475).
signal.signal(signal.SIGALRM, lambda number, frame: print('rings', number))
signal.setitimer(signal.ITIMER_REAL, 0.05)
listener.settimeout(0.3)
try:
    listener.accept()
except TimeoutError as error:
    print('accept:', error)

os.kill(os.getpid(), 0)
signal.signal(signal.SIGUSR1, lambda number, frame: print('got', number))
os.kill(os.getpid(), signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR1)
for attempt in (lambda: os.kill(999999, 0), lambda: signal.setitimer(signal.ITIMER_REAL, -1)):
    try:
        attempt()
    except OSError as error:
        print(type(error).__name__, error)
try:
    signal.alarm('soon')
except TypeError as error:
    print(error)
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    listener.accept()
except TimeoutError as error:
    print('accept:', error)
