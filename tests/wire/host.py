"""A host: a network namespace with a card whose cable it gives away, together with what its loopback carries.

Arguments: the host's number, the socket over which the cable goes, and the program to run once the host is plugged in.
"""

import array
import fcntl
import os
import socket
import struct
import sys

number = int(sys.argv[1])

# netdevice(7), and TUNSETIFF with IFF_TAP | IFF_NO_PI (linux/if_tun.h).
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFHWADDR = 0x8914, 0x8916, 0x891C, 0x8924
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
ARPHRD_ETHER = 1
# packet(7): everything, once, when it arrives.
ETH_P_ALL, SOL_PACKET, PACKET_IGNORE_OUTGOING = 3, 263, 23


def address(ip):
    return struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(ip))


def furnish():
    cable = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(cable, TUNSETIFF, struct.pack("16sH14x", b"eth0", IFF_TAP | IFF_NO_PI))
    hardware = struct.pack("=H6B", ARPHRD_ETHER, 2, 0, 0, 0, 0, number)
    with socket.socket() as any_socket:

        def set(request, interface, value):
            fcntl.ioctl(any_socket, request, struct.pack("16s16s", interface, value))

        set(SIOCSIFHWADDR, b"eth0", hardware)
        set(SIOCSIFADDR, b"eth0", address(f"10.0.0.{number}"))
        set(SIOCSIFNETMASK, b"eth0", address("255.255.255.0"))
        for interface in (b"lo", b"eth0"):
            set(SIOCSIFFLAGS, interface, struct.pack("=h", 0x41))
    return cable


def listen_to_loopback():
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK
    loopback = socket.socket(socket.AF_PACKET, kind, 0)
    loopback.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    loopback.bind(("lo", ETH_P_ALL))
    return loopback


with socket.socket(socket.AF_UNIX) as link, listen_to_loopback() as loopback:
    link.connect(sys.argv[2])
    cable = furnish()
    given = array.array("i", [cable, loopback.fileno()])
    link.sendmsg([bytes([number])], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, given)])
    # The answer comes when the other hosts are plugged in too.
    link.recv(1)
    exec(compile(sys.argv[3], "program", "exec"))
    os.close(cable)
