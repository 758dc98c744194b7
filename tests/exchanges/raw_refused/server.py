"""What an ordinary user may not do."""

import socket

KINDS = {
    "raw ICMP": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "raw TCP": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP),
    "raw IP": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
    "raw ICMPv6": (socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
    "no protocol": (socket.AF_INET, socket.SOCK_RAW, 0),
    "ping": (socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
    "ping6": (socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6),
    "frames": (socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3)),
}

for name, kind in KINDS.items():
    try:
        socket.socket(*kind)
    except OSError as error:
        print(name, type(error).__name__, error)

# The process goes on.
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(("127.0.0.1", 8888))
    print(sock.getsockname())
