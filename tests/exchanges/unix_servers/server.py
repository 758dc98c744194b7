# Everything in the standard library that serves on UNIX sockets.
import asyncio
import os
import socket
import socketserver
import threading
from multiprocessing.connection import Client, Listener, Pipe


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


def ask(path, *lines):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        with sock.makefile('rwb') as file:
            for line in lines:
                file.write(line)
                file.flush()
                print(path, file.readline())


for kind in (socketserver.UnixStreamServer, socketserver.ThreadingUnixStreamServer):
    with kind('socketserver.sock', Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        ask('socketserver.sock', b'one\n', b'two\n')
        server.shutdown()
        thread.join()
    os.unlink('socketserver.sock')


async def handle(reader, writer):
    while line := await reader.readline():
        writer.write(line[::-1])
        await writer.drain()
    writer.close()


async def talk():
    async with await asyncio.start_unix_server(handle, 'asyncio.sock') as server:
        print(server.sockets[0].getsockname())
        reader, writer = await asyncio.open_unix_connection('asyncio.sock')
        writer.write(b'forwards')
        writer.write_eof()
        print(await reader.read())
        writer.close()
        await writer.wait_closed()
        loop = asyncio.get_running_loop()
        print(await asyncio.to_thread(lambda: 'from a thread'))
        one, other = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=one)
        await loop.run_in_executor(None, other.sendall, b'through a pair\n')
        print(await reader.readline())
        writer.close()
        other.close()


asyncio.run(talk())


def serve():
    with Listener('mp.sock', 'AF_UNIX', authkey=b'secret') as listener:
        ready.set()
        with listener.accept() as connection:
            print(connection.recv())
            connection.send({'answer': 42})


ready = threading.Event()
thread = threading.Thread(target=serve)
thread.start()
ready.wait()
with Client('mp.sock', authkey=b'secret') as connection:
    connection.send(['a', 'list'])
    print(connection.recv())
thread.join()
print(os.path.exists('mp.sock'))
one, other = Pipe()
one.send('through a pipe')
print(other.poll(), other.recv())
