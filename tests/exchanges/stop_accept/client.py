# A server that catches nothing: the traceback says where it was interrupted.
import socket

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server_socket:
    server_socket.bind(('localhost', 8889))
    server_socket.listen()
    print('Waiting for a client')
    try:
        server_socket.accept()
    finally:
        print('Cleaned up')
