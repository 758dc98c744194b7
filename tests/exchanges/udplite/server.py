# UDP-Lite: ports of its own, the checksum's coverage, both families, and what it refuses.
import errno
import select
import socket


def attempt(what, action):
    try:
        print(f"{what}: {action()!r}")
    except OSError as error:
        print(f"{what}: {type(error).__name__}: {error} ({errno.errorcode.get(error.errno, error.errno)})")


def lite(family=socket.AF_INET):
    return socket.socket(family, socket.SOCK_DGRAM, socket.IPPROTO_UDPLITE)


def coverage(sock):
    return [sock.getsockopt(socket.IPPROTO_UDPLITE, option) for option in (socket.UDPLITE_SEND_CSCOV, socket.UDPLITE_RECV_CSCOV)]


print(socket.IPPROTO_UDPLITE, socket.UDPLITE_SEND_CSCOV, socket.UDPLITE_RECV_CSCOV, socket.getprotobyname("udplite"))
print(socket.getaddrinfo("127.0.0.1", 8888, proto=socket.IPPROTO_UDPLITE))
attempt("a service by name", lambda: socket.getaddrinfo("127.0.0.1", "domain", proto=socket.IPPROTO_UDPLITE))

for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    with lite(family) as receiver, socket.socket(family, socket.SOCK_DGRAM) as udp, lite(family) as sender:
        receiver.settimeout(5)
        udp.settimeout(5)
        sender.settimeout(5)
        description = repr(receiver)
        print(description[description.index("family") :])
        print(receiver.proto, receiver.type, receiver.getsockname(), receiver.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE))
        # The ports of UDP are others.
        receiver.bind((host, 8888))
        udp.bind((host, 8888))
        attempt("the port again", lambda: lite(family).bind((host, 8888)))
        print(sender.sendto(b"lite", (host, 8888)))
        data, peer = receiver.recvfrom(100)
        print(data, peer[0], peer[1] == sender.getsockname()[1])
        receiver.sendto(b"answer", peer)
        print(sender.recvfrom(100))
        udp.setblocking(False)
        attempt("nothing for UDP", lambda: udp.recv(100))

        # Messages are kept apart, and cut where there is no room.
        sender.connect((host, 8888))
        print(sender.getpeername())
        print(sender.send(b""), sender.send(b"a longer one"), sender.sendmsg([b"in ", b"pieces"]))
        print(receiver.recvmsg(100)[0], receiver.recvmsg(4)[::2], receiver.recv(3))
        print(sender.send(bytes(65507 - 20)), len(receiver.recv(65535)))
        attempt("too long", lambda: sender.send(bytes(65536)))

        # How much of a datagram its checksum covers (udplite(7)).
        print(coverage(sender), coverage(receiver))
        for number in (20, 3, 1, 100_000, -1, 0):
            sender.setsockopt(socket.IPPROTO_UDPLITE, socket.UDPLITE_SEND_CSCOV, number)
            print(number, coverage(sender))
        receiver.setsockopt(socket.IPPROTO_UDPLITE, socket.UDPLITE_RECV_CSCOV, 20)
        sender.setsockopt(socket.IPPROTO_UDPLITE, socket.UDPLITE_SEND_CSCOV, 8)
        sender.send(b"covered too little to be taken")
        sender.setsockopt(socket.IPPROTO_UDPLITE, socket.UDPLITE_SEND_CSCOV, 20)
        sender.send(b"covered as far as the receiver asks")
        print(receiver.recv(100))

        attempt("as a listener", receiver.listen)
        attempt("an option of nobody", lambda: receiver.getsockopt(socket.IPPROTO_UDPLITE, 99))
        attempt("too short a value", lambda: receiver.setsockopt(socket.IPPROTO_UDPLITE, socket.UDPLITE_RECV_CSCOV, b"\0"))
        attempt("on UDP", lambda: udp.setsockopt(socket.IPPROTO_UDPLITE, socket.UDPLITE_SEND_CSCOV, 8))
        attempt("on UDP, to read", lambda: udp.getsockopt(socket.IPPROTO_UDPLITE, socket.UDPLITE_SEND_CSCOV))
        attempt("to port 0", lambda: lite(family).sendto(b"", (host, 0)))
        attempt("to nobody in particular", lambda: lite(family).send(b"x"))
        copy = receiver.dup()
        print(copy.proto, copy.type)
        copy.close()
        receiver.setblocking(False)
        attempt("nothing there", lambda: receiver.recv(10))
        sender.send(b"x")
        print(select.select([receiver], [], [], 5)[0] == [receiver], receiver.recv(10))

    with lite(family) as sender:
        sender.connect((host, 8888))
        sender.send(b"nobody")
        sender.settimeout(5)
        attempt("nobody there", lambda: sender.recv(10))

attempt("a stream of it", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_UDPLITE))
with socket.socket() as tcp:
    attempt("on TCP", lambda: tcp.getsockopt(socket.IPPROTO_UDPLITE, socket.UDPLITE_SEND_CSCOV))

# A dual-stack receiver.
with lite(socket.AF_INET6) as receiver, lite() as sender:
    receiver.bind(("::", 8889))
    receiver.settimeout(5)
    sender.sendto(b"mapped", ("127.0.0.1", 8889))
    data, peer = receiver.recvfrom(10)
    print(data, peer[0])
