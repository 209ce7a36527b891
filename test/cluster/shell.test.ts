/**
 * `skein shell` on a real cluster: from a pipe as a script runs it, and at a terminal. The terminal here is two
 * streams; a real one is in test/interop.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { runShell } from '../../cli/shell/run-shell.ts'
import { systemClock } from '../../proto/clock.ts'
import { runCommand } from './command.ts'
import { faultConfig, SMALL_ROWS, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { Operator, until } from './watch.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-shell-'))
await writeFaultTables(folder)
const skein = await Skein.start({ folder: join(folder, 'own'), executors: 2, config: faultConfig(folder) })
const url = skein.doors.http ?? ''
const operator = new Operator(skein.doors)
t.teardown(async () => {
  operator.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

/** The machine may be busy. */
const WITHIN_MS = 30_000

const piped = (input: string, ...words: string[]) => runCommand(['shell', '--url', url, ...words], { input })

t.test('a pipe: statements over lines, of one session, without a prompt', async t => {
  const { status, stdout, stderr } = await piped([
    'CREATE TEMP TABLE mine AS -- as many as it takes',
    '  SELECT 42 AS x; SET TimeZone = \'Asia/Tokyo\';',
    'SELECT x, TIMESTAMPTZ \'2020-01-01 00:00:00+00\' AS at, \';\' AS semicolon',
    'FROM mine;', 'USE memory; CREATE TABLE own(i INTEGER); SELECT count(*) AS n FROM shop.main.small, own',
  ].join('\n'), '--format', 'csv')
  t.strictSame({ status, stderr }, { status: 0, stderr: '' })
  t.equal(stdout, [
    'Count', '1', 'Success', 'x,at,semicolon', '42,2020-01-01 09:00:00+09,;', 'Success', 'Count', 'n', '0', '',
  ].join('\n'))
})

t.test('a pipe ends at the first failure, which is shown at its place', async t => {
  const input = 'SELECT 1 AS a;\nSELECT\n  nope FROM small;\nSELECT 2;'
  const { status, stdout, stderr } = await piped(input, '--format', 'csv')
  t.strictSame({ status, stdout }, { status: 1, stdout: 'a\n1\n' })
  t.match(stderr, /^error: BIND_ERROR: Binder Error: Referenced column "nope" not found/)
  t.match(stderr, /LINE 2: {3}nope FROM small\n {10}\^\n$/)
  t.match(await piped('\\nothing'), { status: 1, stderr: /no command '\\nothing'/ })
  t.match(await piped('SELECT 1;', '--format', 'arrow'), { status: 1, stderr: /the format of a shell/ })
})

t.test('commands list, describe, explain, time and change the form', async t => {
  const { status, stdout, stderr } = await piped([
    'CREATE TEMP VIEW seen AS SELECT 1 AS one;', 'USE shop;', '\\d', '\\d small', '\\timing',
    'SELECT count(*) AS n FROM small;', '\\explain', '\\explain analyze SELECT k FROM small', '\\format json',
    'SELECT 1;', '\\q', 'SELECT nope;',
  ].join('\n'))
  t.equal(status, 0)
  t.match(stdout, /^OK\ncatalog {2}schema/m)
  t.match(stdout, /^shop +main +small +table$/m)
  t.match(stdout, /^temp +main +seen +view$/m)
  t.match(stdout, /^k +BIGINT/m)
  t.match(stdout, /^ *n\n─+\n *300\n\(1 row\)$/m)
  t.match(stdout, /^SQL of stage 0:$/m)
  t.match(stdout, new RegExp(`${SMALL_ROWS} rows?`))
  t.match(stdout, /"rows":\[\[1\]\]/)
  t.match(stderr, /^timing is on\n(\d+\.\d ms\n){4}$/)
})

/** A shell between two streams; `shown` resolves when the terminal shows what is looked for, after what was found. */
function open(history: string | null) {
  const [input, terminal] = [new PassThrough(), new PassThrough()]
  let text = ''
  const ids: string[] = []
  terminal.setEncoding('utf8').on('data', (piece: string) => { text += piece })
  const print = (piece: string | Uint8Array): void => { terminal.write(piece) }
  const stop = new AbortController()
  const ended = runShell({
    where: { url }, settings: { format: 'table', cache: false, dialect: 'duckdb' }, clock: systemClock,
    signal: stop.signal, input,
    terminal, history, write: async piece => print(piece), note: print,
    newId: () => { ids.push(randomUUID()); return ids.at(-1) ?? '' },
  })
  return {
    ended, stop, sessionId: () => ids[0] ?? '',
    type: (keys: string): void => { input.write(keys) },
    end: (): void => { input.end() },
    async shown(pattern: RegExp): Promise<string> {
      await until(`the terminal shows ${pattern.source}`, WITHIN_MS, () => pattern.test(text))
        .catch((thrown: unknown) => { throw new Error(`it shows ${JSON.stringify(text)}`, { cause: thrown }) })
      const [found = ''] = pattern.exec(text) ?? []
      text = text.slice(text.indexOf(found) + found.length)
      return found
    },
  }
}

const [UP, CTRL_C, CTRL_D, TAB] = ['\u001b[A', '\u0003', '\u0004', '\t']

t.test('a terminal: prompts, lines that go on, an error that ends nothing', async t => {
  const shell = open(null)
  t.match(await shell.shown(/skein [^]*skein> /), '\\?')
  shell.type('SELECT 1 AS a,\n')
  await shell.shown(/ {3}\.\.\. /)
  shell.type('2 AS b;\n')
  t.match(await shell.shown(/a {2}b[^]*skein> /), /\n1 {2}2\n\(1 row\)\n/)
  shell.type('SELECT nope;\n')
  t.match(await shell.shown(/error: [^]*skein> /), /BIND_ERROR[^]*LINE 1: SELECT nope\n {15}\^/)
  shell.type(`${'SELECT 1;'.repeat(10_001)}\n`)
  await shell.shown(/error: INVALID_REQUEST: more than 10000 statements[^]*skein> /)
  shell.type('SELECT 1; SELECT 2 AS two; \n')
  await shell.shown(/two\n─+\n {2}2[^]*skein> /)
  shell.type('\\q\n')
  await shell.ended
  t.pass('it ends')
})

t.test('Ctrl-C cancels what runs, there too, and the session lives on', async t => {
  const shell = open(null)
  await shell.shown(/skein> /)
  shell.type('CREATE TEMP TABLE kept AS SELECT 7 AS x;\n')
  await shell.shown(/Count[^]*skein> /)
  shell.type('SELECT /* long */ sum(hash(a.range)) FROM range(10000000) a, range(10000000) b;\n')
  const long = (state: string) => until(`it is ${state}`, WITHIN_MS, async () => {
    return (await operator.query('/* long */'))?.state === state
  })
  await long('running')
  await shell.shown(/\[·+\] 0 %/)
  shell.type(`SELECT 'typed ahead';\n${CTRL_C}`)
  await shell.shown(/error: CANCELLED[^]*skein> /)
  await long('cancelled')
  t.equal(await operator.query('typed ahead'), undefined)
  shell.type(`SELECT what was a mistake${CTRL_C}SELECT x + 1 AS y FROM kept;\n`)
  t.match(await shell.shown(/y\n─+\n[^]*skein> /), '8')
  shell.type(CTRL_D)
  await shell.ended
  const response = await skein.request('DELETE', `/session/${shell.sessionId()}`)
  let body = ''
  for await (const piece of response.setEncoding('utf8')) body += String(piece)
  t.strictSame(JSON.parse(body), { closed: false }, 'its session has been closed')
})

t.test('Tab completes from the catalog and the session, in a line that goes on', async t => {
  const shell = open(null)
  await shell.shown(/skein> /)
  shell.type('CREATE TEMP TABLE particular AS SELECT 1 AS x;\n')
  await shell.shown(/Count[^]*skein> /)
  shell.type(`SELECT count(*) AS n\n`)
  await shell.shown(/ {3}\.\.\. /)
  shell.type(`FROM particu${TAB}`)
  await shell.shown(/particular/)
  shell.type(', smal')
  shell.type(TAB)
  await shell.shown(/small/)
  shell.type(';\n')
  t.match(await shell.shown(/n\n─+\n[^]*skein> /), String(SMALL_ROWS))
  shell.type(`\\tim${TAB}`)
  await shell.shown(/\\timing/)
  shell.type('\n')
  await shell.shown(/timing is on/)
  shell.type('\\q\n')
  await shell.ended
})

t.test('a statement is one entry of the history, in the next shell too', async t => {
  const history = join(folder, 'history')
  const first = open(history)
  await first.shown(/skein> /)
  first.type('SELECT 1\n')
  first.type('+ 2 AS sum; -- three\n')
  await first.shown(/sum\n─+\n {2}3[^]*skein> /)
  first.type(`${UP}\n`)
  await first.shown(/SELECT 1 \+ 2 AS sum;[^]*sum\n─+\n {2}3[^]*skein> /)
  first.end()
  await first.ended
  t.equal(await readFile(history, 'utf8'), 'SELECT 1 + 2 AS sum;\n')
  const second = open(history)
  await second.shown(/skein> /)
  second.type(`${UP}\n`)
  await second.shown(/sum\n─+\n {2}3[^]*skein> /)
  second.stop.abort()
  await second.ended
})
