"""The ping of a networking course, with its own checksum, and a traceroute."""

import os
import select
import socket
import struct
import sys
import time

ICMP_ECHO_REQUEST = 8


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    total += total >> 16
    return ~total & 0xFFFF


def echo_request(identifier, sequence, payload=b""):
    header = struct.pack("!BBHHH", ICMP_ECHO_REQUEST, 0, 0, identifier, sequence)
    check = checksum(header + payload)
    return struct.pack("!BBHHH", ICMP_ECHO_REQUEST, 0, check, identifier, sequence) + payload


def receive_one(my_socket, identifier, timeout):
    left = timeout
    while True:
        started = time.time()
        ready, _, _ = select.select([my_socket], [], [], left)
        left -= time.time() - started
        if not ready:
            return "Request timed out."
        packet, address = my_socket.recvfrom(1024)
        version, _, total, _, _, ttl, protocol = struct.unpack("!BBHHHBB", packet[:10])
        header = packet[20:28]
        kind, code, _, packet_id, sequence = struct.unpack("!BBHHH", header)
        if kind == 0 and packet_id == identifier:
            sent = struct.unpack("d", packet[28:36])[0]
            assert 0 <= time.time() - sent < 60
            return (
                f"{total} bytes from {address[0]} port {address[1]}: version={version >> 4} protocol={protocol} "
                f"code={code} icmp_seq={sequence} ttl={ttl} checksum={checksum(packet[20:])}"
            )


def do_one_ping(destination, sequence):
    icmp = socket.getprotobyname("icmp")
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, icmp) as my_socket:
        identifier = os.getpid() & 0xFFFF
        packet = echo_request(identifier, sequence, struct.pack("d", time.time()))
        my_socket.sendto(packet, (destination, 1))
        return receive_one(my_socket, identifier, 5)


def ping(host):
    destination = socket.gethostbyname(host)
    print(f"Pinging {destination} using Python:")
    for sequence in range(3):
        print(do_one_ping(destination, sequence))


def traceroute(destination):
    port = 33434
    for ttl in range(1, 4):
        with (
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as receiver,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP) as sender,
        ):
            sender.setsockopt(socket.SOL_IP, socket.IP_TTL, ttl)
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            receiver.bind(("", port))
            receiver.settimeout(5)
            sender.sendto(b"", (destination, port))
            packet, address = receiver.recvfrom(512)
            kind, code = packet[20:22]
            # After the ICMP header comes the packet that it is about.
            to_port = struct.unpack("!H", packet[28 + 22 : 28 + 24])[0]
            print(f"hop {ttl}: {address[0]}, type {kind} code {code}, about port {to_port}")
            if address[0] == destination:
                break


def time_out():
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as quiet:
        print(quiet.type, quiet.proto, quiet.getsockname())
        quiet.settimeout(0.01)
        try:
            quiet.recvfrom(1024)
        except TimeoutError as error:
            print("TimeoutError:", error)
        quiet.setblocking(False)
        try:
            quiet.recvfrom(1024)
        except BlockingIOError as error:
            print("BlockingIOError:", error)


def ping_socket():
    """The way without rights (icmp(7)): the kernel writes identifier and checksum, and no IP header is in front."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as sock:
        sock.settimeout(5)
        sock.bind(("127.0.0.1", 77))
        sock.sendto(struct.pack("!BBHHH", ICMP_ECHO_REQUEST, 0, 0, 0, 7) + b"payload", ("127.0.0.1", 0))
        packet, address = sock.recvfrom(1024)
        kind, code, _, identifier, sequence = struct.unpack("!BBHHH", packet[:8])
        print(kind, code, identifier, sequence, packet[8:], address)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6) as sock:
        sock.settimeout(5)
        sock.sendto(struct.pack("!BBHHH", 128, 0, 0, 0, 8) + b"payload", ("::1", 0))
        packet, address = sock.recvfrom(1024)
        kind, code, _, _, sequence = struct.unpack("!BBHHH", packet[:8])
        print(kind, code, sequence, packet[8:], address[0])


ping("localhost")
traceroute("127.0.0.1")
time_out()
ping_socket()
sys.exit(0)
