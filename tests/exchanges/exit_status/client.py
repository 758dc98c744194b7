# sys.exit with a sentence, which goes to standard error.
import sys
import threading

threading.Timer(0.05, print, ['A thread that is waited for']).start()
sys.exit('It did not work')
