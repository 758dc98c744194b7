# A service that is found by whoever asks everybody, or asks its group. Several may run on one machine.
import select
import socket
import struct

GROUP, PORT = '239.1.2.3', 8888

everybody = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
everybody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
everybody.bind(('', PORT))
group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
group.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
group.bind((GROUP, PORT))
request = struct.pack('4s4s', socket.inet_aton(GROUP), socket.inet_aton('0.0.0.0'))
group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
try:
    group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
except OSError as error:
    print(type(error).__name__, error)
print(group.getsockname(), everybody.getsockname(), 'is listening')

names = {everybody: 'everybody', group: 'group'}
asked = {name: [] for name in names.values()}
while b'goodbye' not in asked['group']:
    readable, _, _ = select.select(list(names), [], [], 30)
    for sock in sorted(readable, key=names.get):
        question, (address, _) = sock.recvfrom(1024)
        asked[names[sock]].append(question)
        if question.startswith(b'who') or question.startswith(b'group') and sock is group:
            everybody.sendto(b'me', (address, int(question.split()[-1])))

# What was sent to the group was heard on both: the machine is in the group (ip(7), IP_MULTICAST_ALL).
everybody.settimeout(30)
while b'goodbye' not in asked['everybody']:
    asked['everybody'].append(everybody.recv(1024))
print([question.split()[0] for question in asked['group']])
print([question.split()[0] for question in asked['everybody']])
