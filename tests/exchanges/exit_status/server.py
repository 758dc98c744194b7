# sys.exit with a number, after the clean-up.
import atexit
import sys

atexit.register(print, 'Good-bye')
try:
    sys.exit(3)
finally:
    print('Finally')
