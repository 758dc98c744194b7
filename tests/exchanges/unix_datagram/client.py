# Sends with and without a name.
import socket

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unnamed:
    print(unnamed.sendto(b'from nobody', 'in.sock'), unnamed.sendto(b'', 0, 'in.sock'))
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
    out.bind('out.sock')
    out.connect('in.sock')
    print(out.getpeername(), out.getsockname())
    out.send(b'from a name')
    out.send(b'cut')
    print(out.sendmsg([b'par', b'ts']))
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.bind('')
own = sender.getsockname()
print(type(own), own[0], len(own))
sender.sendmsg([b'question'], [], 0, '\0in')
data, answerer = sender.recvfrom(100)
print(data, answerer)
for to in ['nobody.sock', '\0nobody', 'out.sock']:
    try:
        sender.sendto(b'x', to)
    except OSError as error:
        print(type(error).__name__, error)
sender.sendto(b'the end', b'\0in')
