# Errors out of the standard library's Python code show its lines, as everywhere.
import socket


class Talker:
    def __init__(self, address):
        self.socket = socket.create_connection(address)


def main():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(('localhost', 0))
    receiver.settimeout(0.05)
    try:
        receiver.recvfrom(10)
    except TimeoutError as error:
        raise RuntimeError('nobody answers') from error


main()
