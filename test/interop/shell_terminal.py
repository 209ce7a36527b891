"""`skein shell` at a real terminal (a pty): what its keys do. Prints a line for each behaviour that holds."""

import os
import pty
import re
import select
import sys
import termios
import time

NODE, MAIN, URL, HISTORY = sys.argv[1:]
WITHIN_S = 30
CTRL_C, CTRL_D, UP, TAB = '\x03', '\x04', '\x1b[A', '\t'

pid, terminal = pty.fork()
if pid == 0:
    environment = {**os.environ, 'TERM': 'xterm', 'SKEIN_HISTORY': HISTORY}
    os.execvpe(NODE, [NODE, MAIN, 'shell', '--url', URL], environment)

seen = ''


def shown(pattern):
    """Waits until the terminal shows it, after what was found last."""
    global seen
    end = time.monotonic() + WITHIN_S
    while True:
        found = re.search(pattern, seen)
        if found:
            seen = seen[found.end():]
            return found.group()
        if time.monotonic() > end:
            sys.exit(f'{pattern} is not shown in {seen!r}')
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if ready:
            seen += os.read(terminal, 65536).decode()


def keys(text):
    os.write(terminal, text.encode())


def ok(behaviour):
    print('ok', behaviour, flush=True)


shown(r'\\q leaves')
shown('skein> ')
ok('greets and asks')

local = termios.tcgetattr(terminal)[3]
assert not local & termios.ISIG, 'Ctrl-C would be a signal'
ok('the terminal hands over Ctrl-C as a key')

keys('SELECT 20 +\n')
shown(r'\.\.\. ')
keys('22 AS answer;\n')
shown(r'answer\s+─+\s+42')
shown('skein> ')
ok('a statement goes over two lines')

keys('CREATE TEMP TABLE kept AS SELECT 7 AS x;\n')
shown(r'Count[\s\S]*skein> ')
keys('SELECT sum(hash(a.range)) FROM range(10000000) a, range(10000000) b;\n')
shown(r'\d % ')
ok('progress is shown')
keys(CTRL_C)
shown(r'error: CANCELLED[\s\S]*skein> ')
keys('SELECT x + 1 AS y FROM kept;\n')
shown(r'y\s+─\s+8[\s\S]*skein> ')
ok('Ctrl-C cancels the statement; the session and the shell live on')

keys('SELECT a mistake' + CTRL_C)
shown('skein> ')
keys('SELECT * FROM kep')
keys(TAB)
shown('kept')
keys(';\n')
shown(r'x\s+─\s+7[\s\S]*skein> ')
ok('Ctrl-C drops a line, Tab completes one')

keys(UP)
shown(r'SELECT \* FROM kept;')
keys('\n')
shown(r'x\s+─\s+7[\s\S]*skein> ')
ok('the history goes back')

keys('SELECT nope;\n')
shown(r'LINE 1: SELECT nope\s+\^[\s\S]*skein> ')
ok('an error is shown at its place')

keys(CTRL_D)
_, status = os.waitpid(pid, 0)
assert status == 0, status
ok('Ctrl-D is the end')

assert os.stat(HISTORY).st_mode & 0o777 == 0o600
ok('the history is for its owner alone')
