# Takes 10 MB, then gives back what it is sent, while the connection to the relay is lost.
import socket
import zlib

SIZE = 10 * 1024 * 1024

with socket.create_server(("127.0.0.1", 8888)) as listener:
    print("Listening", flush=True)
    connection, _ = listener.accept()
    with connection:
        received, check = 0, 0
        while received < SIZE:
            data = connection.recv(65536)
            received += len(data)
            check = zlib.crc32(data, check)
        print(f"Received {received} bytes, checksum {check:08x}", flush=True)
        while data := connection.recv(1024):
            connection.sendall(data.upper())
print("The client has closed")
