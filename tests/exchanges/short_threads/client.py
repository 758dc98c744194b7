# Connects again and again, speaks at once, and listens until the other side closes.
import socket

ROUNDS = 100

answers = set()
for _ in range(ROUNDS):
    with socket.create_connection(('localhost', 8888)) as connection:
        connection.sendall(b'hello')
        answer = b''
        while data := connection.recv(1024):
            answer += data
    answers.add(answer.decode())
print(answers)
with socket.create_connection(('localhost', 8888)) as connection:
    connection.sendall(b'that is all')
