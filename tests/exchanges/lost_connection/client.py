# Sends 10 MB, then every line that is typed, while the connection to the relay is lost.
import socket
import zlib

SIZE = 10 * 1024 * 1024
data = (bytes(range(251)) * (SIZE // 251 + 1))[:SIZE]

with socket.create_connection(("127.0.0.1", 8888)) as connection:
    connection.sendall(data)
    print(f"Sent {len(data)} bytes, checksum {zlib.crc32(data):08x}", flush=True)
    while True:
        try:
            line = input("> ")
        except EOFError:
            break
        connection.sendall(line.encode())
        print(connection.recv(1024).decode(), flush=True)
print("Closing")
