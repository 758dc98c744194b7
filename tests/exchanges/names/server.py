# Names and addresses, in the order and with the errors of glibc.
import socket


def attempt(what, action, *args):
    try:
        result = action(*args)
    except (OSError, OverflowError, ValueError, TypeError) as error:
        print(f'{what}: {type(error).__name__}: {error}')
    else:
        print(f'{what}: {result!r}')


STREAM, DGRAM, RAW = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW
V4, V6 = socket.AF_INET, socket.AF_INET6
LOOKUPS = [
    ('localhost', 80),
    ('localhost', 80, 0, STREAM),
    ('localhost', 80, V4, STREAM),
    ('localhost', 80, V6, STREAM),
    ('LOCALHOST', 80, V4, STREAM),
    ('127.0.0.1', 'http'),
    ('127.0.0.1', 'echo'),
    ('127.0.0.1', 'domain', 0, DGRAM),
    ('127.1', '80', 0, STREAM),
    ('::1', 443, 0, STREAM),
    ('::1', '99999', 0, STREAM),
    ('127.0.0.1', 80, V6),
    ('127.0.0.1', 80, V6, STREAM, 0, socket.AI_V4MAPPED),
    ('::1', 80, V4),
    ('127.0.0.1', 80, 0, STREAM, 0, socket.AI_CANONNAME),
    ('localhost', 80, V6, STREAM, 0, socket.AI_CANONNAME),
    ('localhost', 80, V4, STREAM, 0, socket.AI_NUMERICHOST),
    ('fe80::1%lo', 80, 0, STREAM),
    ('fe80::1%wlan7', 80, 0, STREAM),
    (None, 80, 0, STREAM),
    (None, 80, 0, STREAM, 0, socket.AI_PASSIVE),
    (None, 80, V6, DGRAM, 0, socket.AI_PASSIVE),
    (None, None),
    ('localhost', None, V4, STREAM),
    ('localhost', 'no-such-service'),
    ('localhost', 'http', 0, RAW),
    ('localhost', 'http', V4, STREAM, 0, socket.AI_NUMERICSERV),
    ('localhost', 80, 0, 99),
    ('localhost', 80, 0, STREAM, socket.IPPROTO_UDP),
    ('localhost', 80, 1),
    ('', 80, 0, STREAM),
    ('no-such-host.invalid', 80),
    (b'localhost', b'80', V4, STREAM),
]


def look_up(*arguments):
    # glibc takes a line "::1 localhost" of /etc/hosts for one of 127.0.0.1 too, and so may say it twice.
    return list(dict.fromkeys(socket.getaddrinfo(*arguments)))


for arguments in LOOKUPS:
    attempt(f'getaddrinfo{arguments}', look_up, *arguments)

for address, flags in [
    (('127.0.0.1', 80), 0),
    (('127.0.0.1', 80), socket.NI_NUMERICHOST),
    (('127.0.0.1', 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV),
    (('::1', 123), socket.NI_DGRAM),
    (('::1', 123, 0, 0), socket.NI_NUMERICHOST),
    (('::ffff:127.0.0.1', 4), socket.NI_NUMERICHOST),
    (('fe80::1', 4, 0, 1), socket.NI_NUMERICHOST),
    (('192.0.2.1', 4), 0),
    (('192.0.2.1', 4), socket.NI_NAMEREQD),
    (('localhost', 'x'), 0),
]:
    attempt(f'getnameinfo({address}, {flags})', socket.getnameinfo, address, flags)

for name in ['localhost', '127.0.0.1', '', '<broadcast>', '127.1', 'no-such-host.invalid']:
    attempt(f'gethostbyname({name!r})', socket.gethostbyname, name)
for name in ['127.0.0.1', 'no-such-host.invalid']:
    attempt(f'gethostbyname_ex({name!r})', socket.gethostbyname_ex, name)
for name in ['192.0.2.1', '2001:db8::1']:
    attempt(f'gethostbyaddr({name!r})', socket.gethostbyaddr, name)
print(socket.gethostbyaddr('127.0.0.1')[0], socket.getfqdn('127.0.0.1'), socket.getfqdn('192.0.2.1'))
print(socket.gethostbyname(socket.gethostname()) != '')

for name in [('http',), ('http', 'tcp'), ('http', 'udp'), ('ntp',), ('no-such-service',), ('ssh', 'sctp')]:
    attempt(f'getservbyname{name}', socket.getservbyname, *name)
for port in [(80,), (123, 'udp'), (123, 'tcp'), (5,), (-1,), (70000,)]:
    attempt(f'getservbyport{port}', socket.getservbyport, *port)
for name in ['tcp', 'udp', 'icmp', 'sctp', 'no-such-protocol']:
    attempt(f'getprotobyname({name!r})', socket.getprotobyname, name)

print(socket.if_nameindex()[0], socket.if_nametoindex('lo'), socket.if_indextoname(1))
attempt('if_nametoindex', socket.if_nametoindex, 'wlan7')
attempt('if_indextoname', socket.if_indextoname, 77)
