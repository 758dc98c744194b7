# Looks for services: asks everybody, then a group.
import socket
import struct

GROUP, PORT = '239.1.2.3', 8888

answers = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
answers.bind(('', 0))
answers.settimeout(30)
port = answers.getsockname()[1]


def attempt(what, action):
    try:
        print(what, '->', action())
    except OSError as error:
        print(what, '->', type(error).__name__, error)


sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for address in ['255.255.255.255', '10.0.0.255', '127.255.255.255', '<broadcast>']:
    attempt(address, lambda: sender.sendto(b'refused', (address, PORT)))
    attempt(address, lambda: sender.connect((address, PORT)))
sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
print(sender.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST))


def ask(question, address):
    sender.sendto(b'%s %d' % (question, port), (address, PORT))
    return sorted(answers.recvfrom(100)[0] for _ in range(2))


for address in ['255.255.255.255', '10.0.0.255', '<broadcast>', '127.255.255.255']:
    attempt(address, lambda: ask(b'who-' + address.encode(), address))

options = ['IP_MULTICAST_TTL', 'IP_MULTICAST_LOOP', 'IP_MULTICAST_IF']
print([sender.getsockopt(socket.IPPROTO_IP, getattr(socket, each)) for each in options])
sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
attempt('nobody of this machine', lambda: sender.sendto(b'unheard', (GROUP, PORT)))
sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('10.0.0.1'))
print(socket.inet_ntoa(sender.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, 4)))
print(ask(b'group', GROUP))

for what, option, value in [
    ('no group', socket.IP_ADD_MEMBERSHIP, struct.pack('4s4s', bytes([10, 0, 0, 1]), bytes(4))),
    ('no card', socket.IP_ADD_MEMBERSHIP, struct.pack('4s4s', socket.inet_aton(GROUP), bytes([192, 0, 2, 1]))),
    ('not a member', socket.IP_DROP_MEMBERSHIP, struct.pack('4s4s', socket.inet_aton(GROUP), bytes(4))),
    ('half a request', socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP)),
    ('no such address', socket.IP_MULTICAST_IF, bytes([192, 0, 2, 1])),
]:
    attempt(what, lambda: sender.setsockopt(socket.IPPROTO_IP, option, value))

sender.connect((GROUP, PORT))
print(sender.getpeername(), sender.send(b'goodbye'))
