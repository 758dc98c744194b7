"""A host: a network namespace with a card whose cable it gives away.

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


with socket.socket(socket.AF_UNIX) as link:
    link.connect(sys.argv[2])
    cable = furnish()
    link.sendmsg([bytes([number])], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [cable]))])
    # The answer comes when the other hosts are plugged in too.
    link.recv(1)
    exec(compile(sys.argv[3], "program", "exec"))
    os.close(cable)
