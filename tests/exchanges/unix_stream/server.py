# A server that listens on a path, and what stays when it is gone.
import os
import socket
import stat
import struct
from pathlib import Path

PATH = './echo.sock'

listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
print(listener.family, repr(listener.getsockname()), listener.proto)
listener.bind(PATH)
listener.listen(1)
print(listener.getsockname(), os.path.exists(PATH), stat.S_ISSOCK(os.stat('echo.sock').st_mode), Path(PATH).is_socket())
os.chmod(PATH, 0o600)
print(oct(os.lstat(PATH).st_mode), os.access(PATH, os.W_OK))
print('is ready')
for _ in range(2):
    connection, address = listener.accept()
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize('3i'))
    pid, uid, gid = struct.unpack('3i', credentials)
    print(type(connection).__name__, repr(address), repr(connection.getpeername()), connection.getsockname())
    with connection, connection.makefile('rw') as file:
        for line in file:
            said = line.strip()
            if said == 'pid':
                said = str(pid)
            print('>', said.upper(), file=file, flush=True)
print('There still:', os.path.exists(PATH))
listener.settimeout(0.1)
try:
    listener.accept()
except OSError as error:
    print(type(error).__name__, error)
listener.close()
