# Nobody has asked what to do about the alarm: it ends the program.
import signal
import time

signal.alarm(1)
try:
    print('waits', flush=True)
    while True:
        time.sleep(60)
finally:
    print('never')
