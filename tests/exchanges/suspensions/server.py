# 300,000 suspensions in one process: two threads hand a token to each other, through pipes, semaphores and sockets.
import gc
import os
import socket
import sys
import threading

to_thread, from_main = os.pipe()
to_main, from_thread = os.pipe()
left, right = socket.socketpair()
ping, pong = threading.Semaphore(0), threading.Semaphore(0)


def answer_pipes(rounds):
    for _ in range(rounds):
        os.write(from_thread, os.read(to_thread, 1))


def ask_pipes():
    os.write(from_main, b'x')
    return os.read(to_main, 1) == b'x'


def answer_semaphores(rounds):
    for _ in range(rounds):
        ping.acquire()
        pong.release()


def ask_semaphores():
    ping.release()
    return pong.acquire()


def answer_sockets(rounds):
    for _ in range(rounds):
        right.send(right.recv(1))


def ask_sockets():
    left.send(b'x')
    return left.recv(1) == b'x'


def play(answer, ask, rounds):
    thread = threading.Thread(target=answer, args=(rounds,))
    thread.start()
    right_answers = sum(ask() for _ in range(rounds))
    thread.join()
    print(ask.__name__, right_answers)


def collect():
    gc.collect()
    return sys.getallocatedblocks()


play(answer_pipes, ask_pipes, 1_000)
play(answer_semaphores, ask_semaphores, 1_000)
before = collect()
play(answer_pipes, ask_pipes, 100_000)
play(answer_semaphores, ask_semaphores, 50_000)
play(answer_sockets, ask_sockets, 1_000)
print('No leak:', collect() - before < 1_000)
