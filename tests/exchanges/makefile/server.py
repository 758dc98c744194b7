# Sockets as files: lines and blocks instead of whatever recv brings.
import socket

with socket.create_server(('localhost', 8888)) as server_socket:
    print('Listening')
    connection, address = server_socket.accept()
    with connection, connection.makefile('rw', encoding='utf-8', newline='\n') as file:
        name = file.readline().rstrip('\n')
        file.write(f'Hello, {name}!\n')
        file.flush()
        numbers = [int(file.readline()) for _ in range(100)]
        print('Sum:', sum(numbers), 'of', len(numbers))
        file.write(f'{sum(numbers)}\n')
        file.flush()
        print('Rest:', file.read().splitlines())

    connection, address = server_socket.accept()
    reader = connection.makefile('rb')
    connection.close()
    print('The file outlives the socket:', reader.readline())
    print('Exactly:', reader.read(5), reader.read1(100), reader.read())
    reader.close()
