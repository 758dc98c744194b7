# Standard input as lines, to its end.
import sys

name = input('Name? ')
print('Hello,', name)
for line in sys.stdin:
    print('Line:', line.rstrip())
print('No more input')
try:
    input()
except EOFError as error:
    print('EOFError:', error)
