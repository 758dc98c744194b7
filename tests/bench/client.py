# The near end of a measurement: asks, takes the time, and prints what it found as JSON.
# Before this text stands a line that sets PORT, ECHOES and BYTES.
import json
import socket
import time

MESSAGE = 64
WRITE = 64 * 1024
# Where the clock is coarse, the median is taken of means over so many echoes.
BATCH = 16


def ask(kind, count):
    connection.sendall(kind + count.to_bytes(8, "little"))


def exactly(count):
    while count:
        piece = connection.recv(min(count, WRITE))
        if not piece:
            raise EOFError("the far end has gone")
        count -= len(piece)


def quantile(values, part):
    return sorted(values)[int(part * (len(values) - 1))]


def echo():
    message = bytes(MESSAGE)
    warm = ECHOES // 10
    ask(b"e", MESSAGE * (warm + ECHOES))
    ticks = []
    for _ in range(warm + ECHOES):
        connection.sendall(message)
        exactly(MESSAGE)
        ticks.append(time.perf_counter())
    ticks = ticks[warm - 1 :]
    single = [(later - tick) * 1e6 for tick, later in zip(ticks, ticks[1:])]
    batch = [(later - tick) * 1e6 / BATCH for tick, later in zip(ticks, ticks[BATCH:])]
    return {"p50": quantile(single, 0.5), "p99": quantile(single, 0.99), "batch": quantile(batch, 0.5)}


def speed(transfer):
    begin = time.perf_counter()
    transfer()
    return BYTES / 1e6 / (time.perf_counter() - begin)


def up():
    filler = bytes(WRITE)
    ask(b"u", BYTES)
    for _ in range(BYTES // WRITE):
        connection.sendall(filler)
    exactly(1)


def down():
    ask(b"d", BYTES)
    exactly(BYTES)


connection = socket.create_connection(("localhost", PORT))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
found = {}
if ECHOES:
    found |= echo()
if BYTES:
    found |= {"up": speed(up), "down": speed(down)}
print(json.dumps(found))
connection.close()
