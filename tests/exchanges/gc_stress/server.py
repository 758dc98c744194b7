# The garbage collector at work while many threads are suspended deep in nested calls.
import gc
import random
import threading
import time

gc.set_threshold(200, 2)


class Node:
    def __init__(self):
        self.other = None
        self.links = {}


def nested(depth, action):
    if depth == 0:
        return action()

    class Step:
        def __getattr__(self, name):
            return nested(depth - 1, action)

    return Step().anything


def build():
    time.sleep(random.random() * 0.005)
    nodes = [Node() for _ in range(200)]
    for one, other in zip(nodes, nodes[1:]):
        one.other = other
        other.links[one] = 1
    return sum(range(50))


wrong = []


def work(number):
    for _ in range(30):
        if nested(random.randint(1, 25), build) != 1225:
            wrong.append(number)


threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print('Wrong results:', wrong)
print('Collected:', 0 < gc.get_stats()[1]['collections'])
