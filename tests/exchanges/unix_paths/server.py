# Paths of UNIX sockets among files: in directories, when renamed, and when all is taken away.
import errno
import glob
import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path


def attempt(what, action):
    try:
        result = action()
    except OSError as error:
        number = errno.errorcode.get(error.errno, error.errno)
        print(f'{what}: {type(error).__name__}: {error} ({number})')
    else:
        print(f'{what}: no error, {result!r}')


def bound(path, kind=socket.SOCK_STREAM):
    made = socket.socket(socket.AF_UNIX, kind)
    made.bind(path)
    return made


os.mkdir('run')
os.mkdir('run/deep')
Path('run/file').write_text('a file')
listener = bound('run/a.sock')
listener.listen()
others = [bound('run/b.sock', socket.SOCK_DGRAM), bound('run/deep/c.sock'), bound('top.sock')]

print(sorted(os.listdir('run')), sorted(os.listdir(b'run')), sorted(os.listdir(Path('run'))))
print('top.sock' in os.listdir(), 'top.sock' in os.listdir('.'), sorted(os.listdir(os.path.abspath('run/deep'))))
with os.scandir('run') as entries:
    for entry in sorted(entries, key=lambda entry: entry.name):
        print(entry.name, entry.path, entry.is_file(), entry.is_dir(), entry.is_symlink(), entry, os.fspath(entry))
        print(stat.S_ISSOCK(entry.stat().st_mode), entry.inode() == entry.stat().st_ino)
print(sorted(entry.path for entry in os.scandir(b'run')))
print(sorted(path.name for path in Path('run').iterdir()), sorted(str(path) for path in Path('run').glob('*.sock')))
print(sorted(str(path) for path in Path('run').rglob('*.sock')), sorted(glob.glob('run/*.sock')))
for directory, directories, files in os.walk('run'):
    print(directory, directories, sorted(files))
print([Path('run', name).is_socket() for name in ('a.sock', 'file', 'none')])
attempt('list nothing', lambda: os.listdir('missing'))
attempt('list a file', lambda: os.listdir('run/file'))
attempt('list a socket', lambda: os.listdir('run/a.sock'))
attempt('scan a socket', lambda: os.scandir('run/a.sock'))

attempt('rename', lambda: os.rename('run/a.sock', 'run/new.sock'))
print(sorted(os.listdir('run')), os.path.exists('run/a.sock'))
caller = socket.socket(socket.AF_UNIX)
caller.connect('run/new.sock')
print(caller.getpeername(), listener.getsockname())
caller.close()
attempt('replace a file', lambda: os.replace('run/new.sock', 'run/file'))
print(sorted(os.listdir('run')), os.path.isfile('run/file'), stat.S_ISSOCK(os.stat('run/file').st_mode))
attempt('replace a socket', lambda: os.replace(b'run/file', b'run/b.sock'))
print(sorted(os.listdir('run')))
Path('plain').write_text('plain')
attempt('replace it by a file', lambda: Path('plain').replace('run/b.sock'))
print(sorted(os.listdir('run')), Path('run/b.sock').read_text())
attempt('rename to a directory', lambda: os.rename('top.sock', 'run/deep'))
attempt('rename to no directory', lambda: os.rename('top.sock', 'missing/top.sock'))
attempt('rename nothing', lambda: os.rename('missing', 'found'))
attempt('rename to itself', lambda: os.rename('top.sock', 'top.sock'))
print(os.path.exists('top.sock'))
moved = shutil.move('top.sock', 'run/deep')
print(moved, sorted(os.listdir('run/deep')))

attempt('rmdir of a directory with sockets only', lambda: os.rmdir('run/deep'))
attempt('rmdir of a socket', lambda: os.rmdir('run/deep/c.sock'))
shutil.rmtree('run')
print(os.path.exists('run'), os.path.exists('run/deep/c.sock'))
attempt('bind where nothing is', lambda: bound('run/a.sock'))
os.mkdir('run')
print(os.listdir('run'))
os.rmdir('run')

with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, 'it.sock')
    print(bound(path).getsockname() == path, os.listdir(directory))
print(os.path.exists(path), os.path.exists(directory))
