# epoll on sockets, pipes and standard input: levels, edges, one shot, errors; and what is built on it.
import asyncio
import errno
import os
import select
import selectors
import socket
import sys
import threading
import time

IN, OUT, ET, ONESHOT, RDHUP = select.EPOLLIN, select.EPOLLOUT, select.EPOLLET, select.EPOLLONESHOT, select.EPOLLRDHUP


def attempt(what, action, *args, **named):
    try:
        result = action(*args, **named)
    except (OSError, TypeError, ValueError, OverflowError) as error:
        number = getattr(error, 'errno', None)
        text = error if isinstance(error, OSError) else ''
        print(f'{what}: {type(error).__name__}: {text} ({errno.errorcode.get(number, number)})')
    else:
        print(f'{what}: {result!r}')


def pair():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    return client, server


names = {}


def told(events):
    return sorted((names[fd], mask) for fd, mask in events)


def settled(ep, wanted):
    """What is told in the end: events may come one after another."""
    events = {}
    end = time.monotonic() + 10
    while events != wanted and time.monotonic() < end:
        for name, mask in told(ep.poll(1)):
            events[name] = events.get(name, 0) | mask
    return sorted(events.items())


client, server = pair()
names[client.fileno()], names[server.fileno()] = 'client', 'server'
ep = select.epoll(16)
print(ep.closed, ep.fileno() > 2)

# Edges.
ep.register(server.fileno(), IN | OUT | ET)
ep.register(client, IN | OUT | ET)
print(told(ep.poll(1, 4)))
print(ep.poll(timeout=0.05, maxevents=4))
client.sendall(b'Hello!')
server.sendall(b'world!!!')
print(settled(ep, {'client': IN | OUT, 'server': IN | OUT}))
print(ep.poll(0.05), ep.poll(0))
print(client.recv(3))
print('Half read is no news:', ep.poll(0.05))
server.sendall(b'more')
print(settled(ep, {'client': IN | OUT}))

# Levels.
ep.unregister(client.fileno())
ep.modify(server.fileno(), OUT)
print(told(ep.poll(1, 4)), told(ep.poll(0)))
ep.modify(server, IN | RDHUP)
print(told(ep.poll(1)))
print(server.recv(100), ep.poll(0))
client.shutdown(socket.SHUT_WR)
print(told(ep.poll(1)))
server.shutdown(socket.SHUT_WR)
print(settled(ep, {'server': IN | RDHUP | select.EPOLLHUP}))
ep.unregister(server)

# One shot, and more that is ready than is asked for.
one, other = pair()
third, fourth = pair()
names[one.fileno()], names[third.fileno()] = 'one', 'third'
ep.register(one, IN | ONESHOT)
other.send(b'x')
print(told(ep.poll(5)), ep.poll(0.05))
ep.modify(one, IN | ONESHOT)
print(told(ep.poll(5)))
ep.modify(one, OUT)
ep.register(third, OUT)
print(sorted(names[ep.poll(5, 1)[0][0]] for _ in range(2)))
third.close()
print('A closed descriptor is forgotten:', told(ep.poll(5)))
one.close()

# A pipe, and standard input.
reader, writer = os.pipe()
names[reader], names[0] = 'pipe', 'stdin'
ep.register(reader, IN)
print(ep.poll(0), ep.poll(0.05))
os.write(writer, b'abc')
print(told(ep.poll(5)), os.read(reader, 10), ep.poll(0))
threading.Timer(0.05, os.write, (writer, b'later')).start()
print(told(ep.poll(5)), os.read(reader, 10))
ep.register(sys.stdin, IN)
print('Type a line', flush=True)
print(told(ep.poll()), input())
ep.unregister(0)

# An instance can be waited for itself, by poll, select and another one.
outer = select.epoll()
names[ep.fileno()] = 'inner'
outer.register(ep, IN)
waiting = select.poll()
waiting.register(ep, select.POLLIN)
print(outer.poll(0), waiting.poll(0), select.select([ep], [], [], 0))
os.write(writer, b'x')
print(told(outer.poll(5)), told(waiting.poll(5000)), select.select([ep], [], [], 5)[0] == [ep])
outer.close()

# What is watched in one thread is told in another.
late, peer = pair()
names[late.fileno()] = 'late'
ep.modify(reader, 0)
results = []
thread = threading.Thread(target=lambda: results.append(told(ep.poll(10))))
thread.start()
time.sleep(0.05)
ep.register(late, OUT)
thread.join()
print(results)

# Errors.
attempt('twice', ep.register, late, IN)
attempt('never', ep.modify, peer, IN)
attempt('never', ep.unregister, peer)
attempt('a file', ep.register, os.open('server.py', os.O_RDONLY), IN)
attempt('nothing', ep.register, 999, IN)
attempt('negative', ep.register, -1, IN)
attempt('itself', ep.register, ep, IN)
attempt('no descriptor', ep.register, 'x', IN)
attempt('sizehint', select.epoll, -2)
attempt('sizehint', select.epoll, 'foo')
attempt('flags', select.epoll, flags=12356)
attempt('maxevents', ep.poll, 1, -2)
attempt('timeout', ep.poll, 'x')
again = select.epoll.fromfd(os.dup(ep.fileno()))
names[late.fileno()] = 'late'
print(told(again.poll(5)))
again.close()
with ep as same:
    print(same is ep)
print(ep.closed, ep.close())
attempt('closed', ep.fileno)
attempt('closed', ep.poll)
attempt('closed', ep.register, 1, IN)

# What is built on it.
print(selectors.DefaultSelector.__name__, selectors.EpollSelector.__mro__[1].__name__)
with selectors.DefaultSelector() as selector:
    selector.register(reader, selectors.EVENT_READ, 'pipe')
    selector.register(late, selectors.EVENT_READ | selectors.EVENT_WRITE, 'late')
    print(sorted((key.data, mask) for key, mask in selector.select(5)))
    peer.send(b'x')
    attempt('a file', selector.register, os.open('server.py', os.O_RDONLY), selectors.EVENT_READ)


async def echo(reader, writer):
    while data := await reader.read(100):
        writer.write(data.upper())
        await writer.drain()
    writer.close()


async def main():
    loop = asyncio.get_running_loop()
    print(type(loop._selector).__name__)
    server = await asyncio.start_server(echo, 'localhost', 8888)
    print(sorted(each.getsockname() for each in server.sockets))
    for host in ('127.0.0.1', '::1', 'localhost'):
        reader, writer = await asyncio.open_connection(host, 8888)
        for word in (b'one', b'two'):
            writer.write(word)
            print(await reader.readexactly(3))
        writer.close()
        await writer.wait_closed()
    async with asyncio.timeout(5):
        print(await loop.run_in_executor(None, lambda: 'from a thread'))
    server.close()


asyncio.run(main())
