/** The file of a shell's history: who may read it, how long it grows, what one entry is. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { HistoryFile, MAX_ENTRIES, MAX_ENTRY, oneLine } from '../../cli/shell/history.ts'

const folder = mkdtempSync(join(tmpdir(), 'skein-history-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const mode = (file: string): number => statSync(file).mode & 0o777
const quiet = (message: string): void => { throw new Error(message) }

t.test('entries are kept for the next shell, and for their owner alone', async t => {
  const file = join(folder, 'kept')
  const first = new HistoryFile(file, quiet)
  t.strictSame(first.entries, [])
  for (const entry of ['select 1;', 'select 1;', ' ', 'select 2;', 'x'.repeat(MAX_ENTRY + 1)]) first.add(entry)
  t.equal(mode(file), 0o600)
  t.strictSame(new HistoryFile(file, quiet).entries, ['select 1;', 'select 2;'])
})

t.test('shells beside each other lose nothing', async t => {
  const file = join(folder, 'shared')
  const [one, two] = [new HistoryFile(file, quiet), new HistoryFile(file, quiet)]
  one.add('a')
  two.add('b')
  one.add('c')
  t.equal(readFileSync(file, 'utf8'), 'a\nb\nc\n')
})

t.test('a file that others can read is closed to them, a long one is cut', async t => {
  const file = join(folder, 'long')
  const entries = Array.from({ length: MAX_ENTRIES + 10 }, (_, i) => `select ${i};`)
  writeFileSync(file, `${entries.join('\n')}\n`, { mode: 0o644 })
  t.strictSame(new HistoryFile(file, quiet).entries, entries.slice(10))
  t.equal(readFileSync(file, 'utf8'), `${entries.slice(10).join('\n')}\n`)
  t.equal(mode(file), 0o600)
})

t.test('a place that cannot be written leaves no history, and is told of once', async t => {
  const place = join(folder, 'folder')
  mkdirSync(place)
  const said: string[] = []
  const history = new HistoryFile(place, message => said.push(message))
  history.add('a')
  history.add('b')
  t.strictSame(history.entries, [])
  t.equal(said.length, 1)
  t.match(said[0], /^no history is kept: /)
  t.strictSame(new HistoryFile(null, quiet).entries, [])
})

t.test('a statement is one line, if no text in it is several', async t => {
  t.equal(oneLine('select a, -- first\n  b /* second */\nfrom t;'), 'select a, b from t;')
  t.equal(oneLine("select '\n'"), "select '\n'")
  t.equal(oneLine('\\timing  on'), '\\timing on')
})
