/**
 * Sorts by ranges, cut and run in one process, against plain DuckDB: rows in the same order, whatever the type of the
 * keys, however many rows share one, and the rows of a limit. Executors are more than some keys have values.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { difference } from './compare.ts'
import { InProcessCluster } from './in-process-cluster.ts'
import { FORCED, Planning, writeTables } from './planning.ts'

const EXECUTORS = 4
const ROWS = 700

/** The row's number spread over all of them. */
const MIXED = `(i * 7919 % ${ROWS})`
/** By name: a key of row `i`, which is NULL for some. */
const keys: Readonly<Record<string, string>> = {
  boolean: `${MIXED} % 2 = 0`,
  tinyint: `(${MIXED} % 200 - 100)::TINYINT`,
  ubigint: `(${MIXED}::UBIGINT * 26352492138587645)`,
  'bigint of both signs': `(${MIXED} - 350)::BIGINT * 9007199254740993`,
  hugeint: `(${MIXED} - 350)::HUGEINT * 90071992547409930000000`,
  'decimal of 38 digits': `((${MIXED} - 350)::HUGEINT * 12345678901234567890)::DECIMAL(38,5)`,
  'double with NaN and infinities':
    `CASE ${MIXED} % 9 WHEN 1 THEN 'nan' WHEN 2 THEN 'inf' WHEN 3 THEN '-inf'
      ELSE (${MIXED} - 350) / 8 || '' END::DOUBLE`,
  float: `((${MIXED} - 350) / 16)::FLOAT`,
  'text with zeros, of different lengths':
    `repeat(chr(97 + (${MIXED} % 3)::INTEGER) || chr(0), (${MIXED} % 5)::INTEGER)`,
  'text beyond ASCII': `['ä', 'a', 'Z', '∑', '🦆', 'zz', ''][1 + ${MIXED} % 7] || ${MIXED} % 3`,
  'text that differs at its end only': `repeat('x', 300) || ${MIXED}`,
  blob: `unhex(['', '00', '0000', 'ff', 'fe00', '01ff'][1 + ${MIXED} % 6])`,
  date: `DATE '1969-06-01' + ${MIXED}::INTEGER`,
  'date with infinities': `CASE ${MIXED} % 50 WHEN 3 THEN DATE 'infinity' WHEN 4 THEN DATE '-infinity'
    ELSE DATE '2000-01-01' + ${MIXED}::INTEGER END`,
  time: `TIME '00:00:00' + to_seconds(${MIXED} * 100)`,
  timestamp: `TIMESTAMP '1969-12-31 23:00:00' + to_seconds(${MIXED} * 17)`,
  'timestamp with zone': `TIMESTAMPTZ '2024-03-31 00:30:00+00' + to_minutes(${MIXED})`,
  'time with zone': `(['10:00:00+00', '11:00:00+01', '12:00:00-02', '10:30:00+05'][1 + ${MIXED} % 4])::TIMETZ`,
  interval: `to_months((${MIXED} % 4)::INTEGER) + to_days((${MIXED} % 100 - 50)::INTEGER)`,
  uuid: `md5(${MIXED}::VARCHAR)::UUID`,
  enum: `(['c', 'a', 'b'][1 + ${MIXED} % 3])::ENUM('b', 'c', 'a')`,
  bit: `(${MIXED})::INTEGER::BIT`,
  json: `('{"a": ' || ${MIXED} || '}')::JSON`,
  list: `[${MIXED} % 3, NULL, ${MIXED}][:(${MIXED} % 4)::INTEGER]`,
  struct: `{'a': ${MIXED} % 4, 'b': 'x' || ${MIXED}}`,
  map: `MAP {${MIXED} % 5: ${MIXED}}`,
  'row without names': `row(${MIXED} % 5, 'x' || ${MIXED})`,
  'one value': '42',
  'one value in nearly every row': `CASE WHEN i % 20 = 0 THEN ${MIXED} ELSE 77 END`,
  'only NULL': 'NULL::INTEGER',
}
/** One type has the one pair, the next the other. */
const orders = [['ASC NULLS LAST', 'DESC NULLS FIRST'], ['ASC NULLS FIRST', 'DESC NULLS LAST']]

const folder = await mkdtemp(join(tmpdir(), 'skein-ranges-'))
t.teardown(() => rm(folder, { recursive: true }))
await writeTables(folder, { numbers: `SELECT i::INTEGER AS i FROM range(${ROWS}) AS r(i)` }, 4)
const planning = await Planning.open(folder, ['numbers'])
t.teardown(() => planning.close())
const cluster = await InProcessCluster.open(EXECUTORS, planning.clusterTables, join(folder, 'exchange'))
t.teardown(() => cluster.close())

/** What is wrong, or null; the statement has to be sorted by ranges. */
async function fault(sql: string): Promise<string | null> {
  const { fragments, wholeReason } = await planning.plan(sql, FORCED)
  if (wholeReason !== null) return `${sql}: whole: ${wholeReason}`
  if (!fragments.some(({ output }) => output.kind === 'range')) return `${sql}: not by ranges`
  const [expected, actual] = [await planning.oracle(sql), await cluster.run(fragments)]
  const differs = difference(expected, actual, true)
  return differs === null ? null : `${sql}: ${differs}`
}

async function faults(statements: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const sql of statements) {
    const wrong = await fault(sql)
    if (wrong !== null) found.push(wrong)
  }
  return found
}

t.test('rows are in the order of keys of every type', async t => {
  for (const [at, [name, key]] of Object.entries(keys).entries()) {
    const withNulls = `SELECT i, CASE WHEN i % 13 <> 5 THEN ${key} END AS k FROM numbers`
    const pair = orders[at % 2] ?? []
    t.strictSame(await faults(pair.map(order => `SELECT * FROM (${withNulls}) ORDER BY k ${order}, i`)), [], name)
  }
})

t.test('several keys, each in its own direction', async t => {
  t.strictSame(await faults([
    'SELECT i FROM numbers ORDER BY [i % 3, i]::INTEGER[2] DESC, i',
    'SELECT i FROM numbers ORDER BY i % 3 DESC, i % 7 NULLS FIRST, i DESC',
    `SELECT i FROM numbers ORDER BY CASE WHEN i % 2 = 0 THEN 'b' END DESC NULLS LAST, -i`,
    `SELECT i FROM numbers ORDER BY ('x' || i % 5) COLLATE NOCASE, i`,
    'SELECT i % 4 AS a, i % 9 AS b FROM numbers ORDER BY ALL DESC',
  ]), [])
})

t.test('a limit has the rows that it says, wherever ranges begin', async t => {
  const limits = [141, 350, 699, 5000].flatMap(limit => [0, 1, 300, 700].map(offset =>
    `SELECT i FROM numbers ORDER BY i % 50, i LIMIT ${limit} OFFSET ${offset}`))
  const ofRanges: string[] = []
  for (const sql of limits) {
    const { fragments } = await planning.plan(sql, FORCED)
    if (fragments.some(({ output }) => output.kind === 'range')) ofRanges.push(sql)
  }
  t.strictSame(await faults(ofRanges), [])
  t.ok(ofRanges.length > 0, `${ofRanges.length} of ${limits.length} are no heap`)
  t.strictSame(await faults([0, 1, 349, 699, 700, 900].map(offset =>
    `SELECT i FROM numbers ORDER BY i % 50 DESC, i OFFSET ${offset}`)), [])
})

t.test('no rows, and few', async t => {
  t.strictSame(await faults([
    'SELECT i FROM numbers WHERE i % 1000 = 999 ORDER BY i DESC',
    'SELECT i FROM numbers WHERE i % 600 = 599 ORDER BY i DESC', 'SELECT i FROM numbers WHERE i % 300 = 1 ORDER BY i',
  ]), [])
})

t.test('rows that share a key part over the ranges that it has to itself', async t => {
  const { fragments } = await planning.plan('SELECT i, 7 + 0 * i AS k FROM numbers ORDER BY k', FORCED)
  const counts = (await cluster.runParts(fragments)).map(({ rows }) => rows.length)
  t.ok(Math.max(...counts) < ROWS / 2, counts.join())
  t.equal(counts.reduce((sum, count) => sum + count, 0), ROWS)
})
