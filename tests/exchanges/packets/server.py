"""Packets by hand: a sniffer, UDP and IP headers of one's own, ICMPv6, and what the kernel refuses."""

import socket
import struct


def attempt(what, action):
    try:
        print(what, "->", action())
    except OSError as error:
        print(what, "->", type(error).__name__, error)


def sniff():
    """What a TCP connection begins with, as a sniffer sees it."""
    sniffer = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    sniffer.settimeout(5)
    listener = socket.create_server(("127.0.0.1", 8888))
    client = socket.socket()
    client.bind(("127.0.0.1", 9999))
    client.connect(("127.0.0.1", 8888))
    connection, _ = listener.accept()
    names = {0x02: "SYN", 0x12: "SYN ACK", 0x10: "ACK", 0x18: "PSH ACK"}
    for _ in range(3):
        packet, address = sniffer.recvfrom(65535)
        length = (packet[0] & 0xF) * 4
        source, target, _, _, offset, flags = struct.unpack("!HHIIBB", packet[length : length + 14])
        print(address, source, "->", target, names[flags])
    client.send(b"hello, sniffer")
    packet = sniffer.recv(65535)
    tcp = (packet[0] & 0xF) * 4
    print(packet[tcp + (packet[tcp + 12] >> 4) * 4 :])
    for each in (sniffer, listener, client, connection):
        each.close()


def udp_by_hand():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 8888))
    receiver.settimeout(5)
    payload = b"a datagram by hand"
    datagram = struct.pack("!HHHH", 1234, 8888, 8 + len(payload), 0) + payload
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as sender:
        print(sender.sendto(datagram, ("127.0.0.1", 0)), receiver.recvfrom(1024))
        sender.connect(("127.0.0.1", 0))
        print(sender.send(datagram), receiver.recvfrom(1024))
        attempt("a peer without a port", sender.getpeername)
        sender.connect(("127.0.0.1", 5))
        attempt("a peer with one", sender.getpeername)

    def packet(source):
        addresses = socket.inet_aton(source) + socket.inet_aton("127.0.0.1")
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 7, 0, 64, socket.IPPROTO_UDP, 0)
        return header + addresses + datagram

    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as sender:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        print(sender.getsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL))
        print(sender.sendto(packet("127.0.0.2"), ("127.0.0.1", 0)), receiver.recvfrom(1024))
        attempt("half a header", lambda: sender.sendto(b"E", ("127.0.0.1", 0)))
    # This protocol means that the header is always the program's.
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
        print(sender.sendto(packet("127.0.0.3"), ("127.0.0.1", 0)), receiver.recvfrom(1024))
    receiver.close()


def icmpv6():
    """The kernel writes the checksum, and no IPv6 header is in front (RFC 3542)."""
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
        sock.settimeout(5)
        sock.sendto(struct.pack("!BBHHH", 128, 0, 0, 77, 1) + b"six", ("::1", 0))
        seen = [sock.recvfrom(1024) for _ in range(2)]
        for packet, address in seen:
            kind, code, _, identifier, sequence = struct.unpack("!BBHHH", packet[:8])
            print(kind, code, identifier, sequence, packet[8:], address)


def refusals():
    inet, raw = socket.AF_INET, socket.SOCK_RAW
    attempt("protocol 0", lambda: socket.socket(inet, raw, 0))
    attempt("protocol 1 as a stream", lambda: socket.socket(inet, socket.SOCK_STREAM, 1))
    attempt("ICMPv6 of IPv4", lambda: socket.socket(inet, socket.SOCK_DGRAM, 58))
    with socket.socket(inet, raw, socket.IPPROTO_ICMP) as sock:
        attempt("nowhere", lambda: sock.send(b"x"))
        attempt("listen", sock.listen)
        attempt("outside", lambda: sock.sendto(bytes(8), ("192.0.2.1", 0)))
        attempt("a foreign address", lambda: sock.bind(("192.0.2.1", 0)))
        attempt("too long", lambda: sock.sendto(bytes(65_536), ("127.0.0.1", 0)))
        attempt("after all that", lambda: sock.sendto(bytes(8), ("127.0.0.1", 0)))


sniff()
udp_by_hand()
icmpv6()
refusals()
