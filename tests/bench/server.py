# The far end of a measurement: answers what the near end asks for, over one connection.
# Before this text stands a line that sets PORT, ECHOES and BYTES.
import socket

MESSAGE = 64
WRITE = 64 * 1024


def exactly(connection, count):
    """Reads so many bytes and keeps only the last piece."""
    piece = b""
    while count:
        piece = connection.recv(min(count, WRITE))
        if not piece:
            raise EOFError("the near end has gone")
        count -= len(piece)
    return piece


def serve(connection):
    filler = bytes(WRITE)
    while head := connection.recv(9):
        kind, count = head[:1], int.from_bytes(head[1:], "little")
        if kind == b"e":
            for _ in range(count // MESSAGE):
                connection.sendall(exactly(connection, MESSAGE))
        elif kind == b"u":
            exactly(connection, count)
            connection.sendall(b"!")
        else:
            for _ in range(count // WRITE):
                connection.sendall(filler)


listener = socket.create_server(("localhost", PORT))
print("listening", listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
serve(connection)
