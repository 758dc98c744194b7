"""Names and addresses: getaddrinfo(3) and its kin, with both families.

The kernel answers; here are the parts that C code lacks or that know IPv4 only.
"""

import errno
import json
import operator
import os
import socket

import _socket

from . import addresses

_getaddrinfo = _socket.getaddrinfo
_getnameinfo = _socket.getnameinfo
_inet_pton = _socket.inet_pton
_inet_ntop = _socket.inet_ntop


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    """_socket.getaddrinfo"""
    found = _getaddrinfo(host, port, family, type, proto, flags)
    return [(*kind, addresses.shown(address)) for *kind, address in found]


def getnameinfo(sockaddr, flags, /):
    """socket.getnameinfo"""
    if isinstance(sockaddr, tuple) and len(sockaddr) == 4 and sockaddr[3] and "%" not in sockaddr[0]:
        host, port, flow, scope = sockaddr
        sockaddr = (f"{host}%{scope}", port, flow, scope)
    return _getnameinfo(sockaddr, flags)


def gethostname():
    """socket.gethostname"""
    import _socketpad_host as host

    return host.name


def gethostbyname(hostname, /):
    """socket.gethostbyname"""
    if hostname == "":
        return "0.0.0.0"
    if hostname == "<broadcast>":
        return "255.255.255.255"
    return getaddrinfo(hostname, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]


def gethostbyname_ex(hostname, /):
    """socket.gethostbyname_ex"""
    found = getaddrinfo(hostname, None, socket.AF_INET, socket.SOCK_STREAM)
    return (hostname.rstrip(".").lower(), [], [each[4][0] for each in found])


def gethostbyaddr(address, /):
    """socket.gethostbyaddr"""
    found = getaddrinfo(address, None, 0, socket.SOCK_STREAM)[0][4]
    try:
        name, _ = getnameinfo(found, socket.NI_NAMEREQD)
    except socket.gaierror:
        raise socket.herror(1, "Unknown host") from None
    return (name, [], [found[0]])


def getservbyname(servicename, protocolname=None, /):
    """socket.getservbyname"""
    import _socketpad_host as host

    for protocol in ("tcp", "udp") if protocolname is None else (protocolname,):
        port = host.servicePort(servicename, protocol)
        if port:
            return port
    raise OSError("service/proto not found")


def getservbyport(port, protocolname=None, /):
    """socket.getservbyport"""
    import _socketpad_host as host

    if not 0 <= port <= 0xFFFF:
        raise OverflowError("getservbyport: port must be 0-65535.")
    for protocol in ("tcp", "udp") if protocolname is None else (protocolname,):
        name = host.serviceName(port, protocol)
        if name:
            return name
    raise OSError("port/proto not found")


# Of protocols(5).
_PROTOCOLS = {
    "ip": 0,
    "icmp": 1,
    "igmp": 2,
    "ipencap": 4,
    "tcp": 6,
    "egp": 8,
    "udp": 17,
    "ipv6": 41,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ipv6-icmp": 58,
    "ospf": 89,
    "sctp": 132,
    "udplite": 136,
}


def getprotobyname(protocolname, /):
    """socket.getprotobyname"""
    try:
        return _PROTOCOLS[protocolname]
    except KeyError:
        raise OSError("protocol not found") from None


def if_nameindex():
    """socket.if_nameindex"""
    import _socketpad_host as host

    return [(index, name) for index, name in json.loads(host.interfaces())]


def if_nametoindex(oname, /):
    """socket.if_nametoindex"""
    name = os.fsdecode(oname)
    for index, known in if_nameindex():
        if known == name:
            return index
    raise OSError("no interface with this name")


def if_indextoname(index, /):
    """socket.if_indextoname"""
    index = operator.index(index)
    if index < 0:
        raise ValueError("Cannot convert negative int")
    if index > 0xFFFFFFFF:
        raise OverflowError("Python int too large for C unsigned int")
    for known, name in if_nameindex():
        if known == index:
            return name
    raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))


def inet_pton(address_family, ip_string, /):
    """socket.inet_pton"""
    import _socketpad_host as host

    if address_family != socket.AF_INET6:
        return _inet_pton(address_family, ip_string)
    packed = host.inet6Bytes(ip_string)
    if packed is None:
        raise OSError("illegal IP address string passed to inet_pton")
    return packed.to_bytes()


def inet_ntop(address_family, packed_ip, /):
    """socket.inet_ntop"""
    import _socketpad_host as host

    if address_family != socket.AF_INET6:
        return _inet_ntop(address_family, packed_ip)
    packed = bytes(packed_ip)
    if len(packed) != 16:
        raise ValueError("invalid length of packed IP address string")
    return host.inet6Text(packed)


FUNCTIONS = (
    getaddrinfo,
    getnameinfo,
    gethostname,
    gethostbyname,
    gethostbyname_ex,
    gethostbyaddr,
    getservbyname,
    getservbyport,
    getprotobyname,
    if_nameindex,
    if_nametoindex,
    if_indextoname,
    inet_pton,
    inet_ntop,
)


def install():
    """Patch `_socket` and `socket`."""
    for function in FUNCTIONS:
        name = function.__name__
        setattr(_socket, name, function)
        # `socket.getaddrinfo` is Python, on that of `_socket`.
        if name != "getaddrinfo":
            setattr(socket, name, function)
        if name not in socket.__all__:
            socket.__all__.append(name)
