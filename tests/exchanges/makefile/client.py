# Speaks in lines, then in bytes.
import socket

with socket.create_connection(('localhost', 8888)) as connection:
    file = connection.makefile('rw', encoding='utf-8', newline='\n')
    print('小明', file=file, flush=True)
    print(file.readline(), end='')
    for number in range(100):
        print(number, file=file)
    file.flush()
    print('Sum:', file.readline().strip())
    file.write('last\nwords')
    file.close()

with socket.create_connection(('localhost', 8888)) as connection, connection.makefile('wb') as file:
    file.write(b'a line\n')
    file.write(b'12345')
    file.write(b'678')
