# A loop that never waits, until Ctrl-C.
try:
    print('Busy')
    while True: pass
finally:
    print('Cleaned up')
