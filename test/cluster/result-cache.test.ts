/** Results that are kept for who asks the same, on a real cluster: when one is given, and when it must not be. */

import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { delay, systemClock } from '../../proto/clock.ts'
import { DuckDBInstance } from '../duckdb.ts'
import { runCommand } from './command.ts'
import { Skein, type SkeinOutcome } from './skein.ts'
import { until as untilTrue } from './watch.ts'

const root = mkdtempSync(join(tmpdir(), 'skein-results-'))
const lake = join(root, 'lake')
mkdirSync(join(lake, 't'), { recursive: true })
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
await connection.run(`COPY (SELECT i, 'word ' || i AS w, TIMESTAMPTZ '2026-03-29 00:30:00+00' AS ts
  FROM range(200000) t(i)) TO '${join(lake, 't/1.parquet')}' (FORMAT parquet)`)
writeFileSync(join(lake, 'c.csv'), 'a\n11\n')

const skein = await Skein.start({
  folder: join(root, 'cluster'), executors: 2, environment: { SKEIN_WHOLE_BYTES: '0' },
  config: {
    buckets: { lake: { provider: 'local', path: lake } },
    catalogs: {
      c: { type: 'bucket_tables', bucket: 'lake', listing_ttl: '1ms', tables: { t: 't/*.parquet' } },
      text: { type: 'bucket_tables', bucket: 'lake', file_format: 'csv', listing_ttl: '1ms', tables: { c: 'c.csv' } },
    },
    default_catalog: 'c',
    node: { result_cache: '64MB' },
  },
})
t.teardown(async () => {
  connection.closeSync()
  instance.closeSync()
  await skein.stop()
  rmSync(root, { recursive: true })
})

const ask = (sql: string, fields: Readonly<Record<string, unknown>> = {}): Promise<SkeinOutcome> =>
  skein.query(sql, { fields: { cache: true, ...fields } })
const useOf = (outcome: SkeinOutcome): unknown => outcome.kind === 'rows' ? outcome.stats['result_cache'] : outcome
const rowsOf = (outcome: SkeinOutcome): unknown => outcome.kind === 'rows' ? outcome.answer.rows : outcome
/** Until it is as wanted: lists of files and clocks of file systems take their time. */
async function until(sql: string, wanted: (outcome: SkeinOutcome) => boolean): Promise<SkeinOutcome> {
  for (let left = 500; ; left--) {
    const outcome = await ask(sql)
    if (wanted(outcome) || left === 0) return outcome
    await delay(systemClock, 20)
  }
}
const isOn = (outcome: SkeinOutcome): boolean => useOf(outcome) === 'miss' || useOf(outcome) === 'hit'
await until('SELECT 1 FROM t, text.c LIMIT 1', isOn)

async function askTwice(sql: string, fields: Readonly<Record<string, unknown>> = {}) {
  const first = await ask(sql, fields)
  return { first, second: await ask(sql, fields) }
}

interface CacheStatus { readonly results: number; readonly result_hits: number; readonly result_bytes: number }

async function statuses(): Promise<readonly CacheStatus[]> {
  const words = ['admin', 'cache', 'status', '--format', 'json', '--url', skein.doors.admin ?? '']
  return JSON.parse((await runCommand(words)).stdout) as readonly CacheStatus[]
}

const sum = (caches: readonly CacheStatus[], of: (cache: CacheStatus) => number): number =>
  caches.reduce((total, cache) => total + of(cache), 0)

t.test('who asks the same gets what was kept, and nothing runs', async t => {
  const before = sum(await statuses(), ({ results }) => results)
  const sql = 'SELECT i % 3 AS k, count(*), sum(i) FROM t GROUP BY k ORDER BY k'
  const first = await ask(sql)
  // who asks at once is given the rows of the query that has just ended, which is no hit of what is kept
  await untilTrue('it is kept', 5_000, async () => sum(await statuses(), ({ results }) => results) > before)
  const second = await ask(sql)
  t.match(first, { kind: 'rows', stats: { result_cache: 'miss', stages: Number } })
  t.match(second, { kind: 'rows', stats: { result_cache: 'hit', stages: 0, tasks: 0, executors: 0 } })
  t.strictSame(rowsOf(second), rowsOf(first))
  t.strictSame(second.kind === 'rows' && second.answer.columns, first.kind === 'rows' && first.answer.columns)
  const spelled = await ask('select i%3 as k,count(*),sum(i) from c.main.t group by k order by k -- by another hand')
  t.strictSame([useOf(spelled), rowsOf(spelled)], ['hit', rowsOf(first)], 'what counts is the plan')
  const named = await ask('SELECT i % 3 AS k, count(*) AS n, sum(i) FROM t GROUP BY k ORDER BY k')
  t.strictSame([useOf(named), rowsOf(named)], ['miss', rowsOf(first)], 'names of columns are part of it')
  let caches: readonly CacheStatus[] = []
  // an executor counts when it has given all of it, which may be after the client has it
  await untilTrue('both hits are counted', 5_000, async () => {
    caches = await statuses()
    return sum(caches, ({ result_hits: hits }) => hits) >= 2
  })
  t.ok(caches.some(({ results, result_bytes: bytes }) => results > 0 && bytes > 0))
})

t.test('a large result is kept on disk, one of more than an eighth of the budget is not', async t => {
  const large = 'SELECT i, w FROM t WHERE i < 50000 ORDER BY i'
  const { first, second } = await askTwice(large)
  t.strictSame([useOf(first), useOf(second)], ['miss', 'hit'])
  t.strictSame(rowsOf(second), rowsOf(first))
  const larger = 'SELECT i, w, w || w AS v FROM t'
  const outcomes = [await ask(larger), await ask(larger)]
  t.strictSame(outcomes.map(useOf), ['miss', 'miss'])
})

t.test('who says so is not answered by what was kept, and leaves nothing', async t => {
  const sql = 'SELECT count(*) FROM t WHERE i > 17'
  t.equal(useOf(await ask(sql, { cache: false })), 'off')
  t.equal(useOf(await ask(sql)), 'miss')
  t.equal(useOf(await ask(sql)), 'hit')
  t.equal(useOf(await ask(sql, { cache: false })), 'off')
  const words = ['query', '--url', skein.doors.http ?? '', '--format', 'json']
  const stats = async (...more: string[]): Promise<unknown> =>
    (JSON.parse((await runCommand([...words, ...more, sql])).stdout) as { stats: object }).stats
  t.match(await stats(), { result_cache: 'hit', tasks: 0 })
  t.match(await stats('--no-cache'), { result_cache: 'off' })
})

t.test('settings and limits make another result of the same text', async t => {
  const sql = "SELECT min(ts)::VARCHAR, strftime(min(ts), '%H') FROM t"
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'UTC', 'Europe/Berlin']
  const answers = []
  for (const timezone of zones) answers.push(await ask(sql, { timezone }))
  t.strictSame(answers.map(useOf), ['miss', 'miss', 'miss', 'hit', 'hit'])
  t.match(answers.map(rowsOf).map(rows => JSON.stringify(rows)), [
    /2026-03-29 00:30:00\+00.*"00"/, /2026-03-29 01:30:00\+01.*"01"/, /2026-03-28 20:30:00-04.*"20"/,
    /2026-03-29 00:30:00\+00.*"00"/, /2026-03-29 01:30:00\+01.*"01"/,
  ])
  const limited = 'SELECT i FROM t ORDER BY i'
  t.strictSame(rowsOf(await ask(limited, { limit: 2 })), rowsOf(await ask(limited, { limit: 2, offset: 0 })))
  t.notSame(rowsOf(await ask(limited, { limit: 2 })), rowsOf(await ask(limited, { limit: 2, offset: 1 })))
  t.notSame(rowsOf(await ask('SELECT min(i) FROM t')), rowsOf(await ask('SELECT max(i) FROM t')))
})

t.test('what clock, chance or session decide is never shared', async t => {
  const volatile = [
    'SELECT now() FROM t LIMIT 1', 'SELECT count(*) FROM t WHERE ts < current_date', 'SELECT random() FROM t LIMIT 3',
    'SELECT uuid() FROM t LIMIT 1', "SELECT age(min(ts)::TIMESTAMP) FROM t", 'SELECT current_schema() FROM t LIMIT 1',
    'SELECT count(*) FROM t USING SAMPLE 10%', "SELECT current_setting('TimeZone') FROM t LIMIT 1",
    'WITH x AS (SELECT get_current_timestamp() AS n) SELECT count(*) FROM t, x WHERE ts < n',
  ]
  for (const sql of volatile) {
    const outcomes = [await ask(sql), await ask(sql)]
    t.strictSame(outcomes.map(useOf), ['off', 'off'], sql)
  }
  const limit = 'SELECT i FROM t LIMIT 3'
  const { first, second } = await askTwice(limit)
  t.strictSame([useOf(second), rowsOf(second)], ['hit', rowsOf(first)], 'any three rows are right, so the same three')
})

t.test('a file that changes makes another result, also one of the same size within a moment', async t => {
  const path = join(lake, 'c.csv')
  const sql = 'SELECT sum(a) FROM text.c'
  const gives = (outcome: SkeinOutcome, value: number): boolean => JSON.stringify(rowsOf(outcome)) === `[["${value}"]]`
  const unseen: number[] = []
  t.equal((await askTwice(sql)).second.kind, 'rows')
  for (let value = 12; value <= 40; value++) {
    writeFileSync(path, `a\n${value}\n`) // within a step of the file system's clock, now and then
    if (!gives(await until(sql, outcome => gives(outcome, value)), value)) unseen.push(value)
  }
  t.strictSame(unseen, [], 'each is seen as soon as the list of files is looked at again')
  const settled = await until(sql, isOn)
  t.strictSame([useOf(settled), rowsOf(settled)], ['miss', [['40']]], 'once it has settled')
  t.equal(useOf(await ask(sql)), 'hit')
  writeFileSync(path, 'a\n50\n')
  const { atime, mtime } = statSync(join(lake, 't/1.parquet'))
  utimesSync(path, atime, mtime)
  t.match(rowsOf(await until(sql, outcome => JSON.stringify(rowsOf(outcome)) !== '[["40"]]')), [['50']], 'set back')
  const count = 'SELECT count(*) FROM t'
  const counts = (rows: string) => until(count, outcome => JSON.stringify(rowsOf(outcome)) === `[["${rows}"]]`)
  await counts('200000')
  writeFileSync(join(lake, 't/2.parquet'), readFileSync(join(lake, 't/1.parquet')))
  t.strictSame(rowsOf(await counts('400000')), [['400000']])
  rmSync(join(lake, 't/2.parquet'))
  t.strictSame(rowsOf(await counts('200000')), [['200000']])
})

t.test('a query that failed or was cancelled leaves nothing', async t => {
  const failing = "SELECT w::INTEGER FROM t"
  t.match([await ask(failing), await ask(failing)], [{ code: 'EXECUTION_ERROR' }, { code: 'EXECUTION_ERROR' }])
  const sql = 'SELECT i, w, i + 1 AS j FROM t'
  const leave = new AbortController()
  const response = await skein.request('POST', '/query', { statement: sql }, leave.signal)
  response.once('data', () => leave.abort())
  await new Promise(resolve => { response.once('close', resolve) })
  const after = await ask(sql)
  t.equal(after.kind === 'rows' && after.answer.rows.length, 200_000)
})

t.test('what an executor kept is gone with it, and the query runs', async t => {
  const sql = 'SELECT count(*), max(w) FROM t WHERE i % 7 = 3'
  const { first, second } = await askTwice(sql)
  t.equal(useOf(second), 'hit')
  await runCommand(['admin', 'cache', 'evict', '--url', skein.doors.admin ?? ''])
  const third = await ask(sql)
  t.strictSame([useOf(third), rowsOf(third)], ['miss', rowsOf(first)], 'given up by an operator')
  t.equal(useOf(await ask(sql)), 'hit')
  const status = await runCommand(['admin', 'executors', '--format', 'json', '--url', skein.doors.admin ?? ''])
  for (const { pid } of JSON.parse(status.stdout) as { pid: number }[]) process.kill(pid, 'SIGKILL')
  const fourth = await ask(sql)
  t.strictSame([useOf(fourth), rowsOf(fourth)], ['miss', rowsOf(first)])
  t.equal(useOf(await ask(sql)), 'hit')
})
