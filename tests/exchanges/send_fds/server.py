# Descriptors cannot be sent to another worker, and a program is told so where it tries.
import array
import socket

one, other = socket.socketpair()
rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [1]))
for attempt in (lambda: socket.send_fds(one, [b'x'], [1]), lambda: one.sendmsg([b'x'], [rights])):
    try:
        attempt()
    except OSError as error:
        print(error)
# Nothing was sent, and everything else can be.
print(one.sendmsg([b'plain']), other.recvmsg(10, 100))
