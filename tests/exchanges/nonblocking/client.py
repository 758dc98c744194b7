# A connection that is made without waiting for it.
import errno
import select
import socket
import time

connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
connection.setblocking(False)
code = connection.connect_ex(('localhost', 8888))
print('connect_ex:', errno.errorcode[code])
_, writable, _ = select.select([], [connection], [], 30)
print('Writable:', writable == [connection])
print('SO_ERROR:', connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
try:
    connection.recv(10)
except BlockingIOError as error:
    print('recv:', error)

for part in [b'one ', b'two ', b'three.']:
    connection.send(part)
    time.sleep(0.05)

# Nothing is read before the other side has given up: a person says when.
poller = select.poll()
poller.register(connection, select.POLLIN)
print('Readable:', bool(poller.poll(30000)[0][1] & select.POLLIN))
input()
connection.close()

refused = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
refused.setblocking(False)
code = refused.connect_ex(('localhost', 8889))
print('To nobody:', errno.errorcode[code])
select.select([], [refused], [], 30)
print('Found out:', errno.errorcode[refused.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)])
refused.close()
