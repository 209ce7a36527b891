/** What one task writes another reads: the same values of the same types, in the right partitions. */

import t from 'tap'
import { parseDuckType, typeText } from '../../proto/types.ts'
import { wireType } from '../../planner/exchange-types.ts'
import type { WrittenFile } from '../../executor/exchange-writer.ts'
import { columnTexts, toTable } from './arrow-text.ts'
import { textCases, typeCases } from './arrow-types.ts'
import { exchanged } from './exchanges.ts'
import { openWorkbench, toResult, type Workbench } from './workbench.ts'

const ROWS = 3_000
const BIG = [
  { name: 'h', type: 'HUGEINT', sql: "'170141183460469231731687303715884105727'::HUGEINT - i" },
  { name: 'h2', type: 'HUGEINT', sql: '9007199254740993::HUGEINT' },
  { name: 'd', type: 'DOUBLE', sql: "CASE i%4 WHEN 0 THEN 'nan' WHEN 1 THEN '-inf' WHEN 2 THEN '-0.0' ELSE '0.1' END" },
  { name: 'v', type: 'INTERVAL', sql: "to_microseconds(i) + to_months(1)" },
  { name: 'z', type: 'TIMESTAMP', sql: "CASE WHEN i%2=0 THEN 'infinity' ELSE '0044-03-15 (BC) 12:00:00' END" },
]

/** The source of exchange files of this workbench's own executor. */
const source = (bench: Workbench) => ({
  executorId: 'e1', address: 'nowhere:1', folder: bench.exchangeFiles.root, markerPath: bench.exchangeFiles.markerPath,
  markerToken: bench.exchangeFiles.markerToken,
})

function inputOf(
  bench: Workbench, name: string, columns: readonly { type: string; wireType: string }[], files: readonly WrittenFile[],
) {
  return {
    name, columns: [...columns],
    files: files.map(file => ({
      source: source(bench), path: file.path, sizeBytes: BigInt(file.sizeBytes), rowCount: BigInt(file.rowCount),
    })),
  }
}

t.test('every type comes back, values and type', async t => {
  const bench = await openWorkbench(t)
  const cases = [...typeCases, ...textCases, ...BIG].flatMap(one => {
    const wire = one.type === '"NULL"' ? null : wireType(parseDuckType(one.type))
    return wire === null ? [] : [{ ...one, wireType: typeText(wire) }]
  })
  t.ok(cases.length > 45)
  const columns = cases.map(({ type, wireType }) => ({ type, wireType }))
  const value = ({ sql, type }: { sql: string; type: string }, k: number) =>
    `CAST(CASE WHEN hash(i, ${k})%7>0 THEN ${sql} END AS ${type})`
  const list = cases.map((one, k) => `${value(one, k)} AS c${k}`)
  const sql = `SELECT ${list.join(', ')}, i AS c${cases.length} FROM range(${ROWS}) t(i)`
  const withRow = [...columns, { type: 'BIGINT', wireType: 'BIGINT' }]
  const spread = { columns: withRow, hashKeys: [`c${cases.length}`], partitionCount: 3 }
  const written = await bench.run({ sql, output: { case: 'exchange', value: spread } })
  if (written.kind === 'failed') throw written.cause
  const texts = cases.map((_, k) => `CAST(c${k} AS VARCHAR), typeof(c${k})`)
  const output = toResult(texts.flatMap((_, k) =>
    [{ name: `v${k}`, type: 'VARCHAR' }, { name: `t${k}`, type: 'VARCHAR' }]))
  const read = (from: string) => `SELECT ${texts.join(', ')} FROM ${from} ORDER BY c${cases.length}`
  const back = await bench.result({ sql: read('ex0'), inputs: [inputOf(bench, 'ex0', withRow, written.files)], output })
  const oracle = await bench.result({ sql: read(`(${sql})`), output })
  if (back.outcome.kind === 'failed') throw back.outcome.cause
  if (oracle.outcome.kind === 'failed') throw oracle.outcome.cause
  const [got, want] = [toTable(back.frames), toTable(oracle.frames)]
  const wrong = cases.flatMap(({ type }, k) => [2 * k, 2 * k + 1].flatMap(i => {
    const [mine, theirs] = [columnTexts(got, i), columnTexts(want, i)]
    const at = theirs.findIndex((text, row) => text !== mine[row])
    return mine.length === ROWS && at === -1 ? [] : [`${type}: ${mine[at]} instead of ${theirs[at]}`]
  }))
  t.strictSame(wrong, [])
})

t.test('a row goes to the partition of its hash, before the cast to the wire type', async t => {
  const bench = await openWorkbench(t)
  const columns = [{ type: 'HUGEINT', wireType: 'VARCHAR' }]
  const written = await bench.run({
    sql: 'SELECT i::HUGEINT AS c0 FROM range(1000) t(i)',
    output: { case: 'exchange', value: { columns, hashKeys: ['c0'], partitionCount: 4 } },
  })
  if (written.kind === 'failed') throw written.cause
  t.strictSame([...new Set(written.files.map(({ partition }) => partition))].sort(), [0, 1, 2, 3])
  t.equal(written.files.reduce((sum, { rowCount }) => sum + rowCount, 0), 1000)
  const two = written.files.filter(({ partition }) => partition === 2)
  const output = toResult([{ name: 'n', type: 'BIGINT' }])
  const { frames } = await bench.result({
    sql: 'SELECT count(*) FROM ex1 WHERE hash(c0) % 4 <> 2', inputs: [inputOf(bench, 'ex1', columns, two)], output,
  })
  t.strictSame(columnTexts(toTable(frames), 0), ['0'])
})

t.test('no rows make no file, and no file is an empty relation of its types', async t => {
  const bench = await openWorkbench(t)
  const columns = [{ type: 'HUGEINT', wireType: 'VARCHAR' }, { type: 'INTEGER[2]', wireType: 'INTEGER[]' }]
  for (const hashKeys of [[], ['c0']]) {
    const sql = 'SELECT 1::HUGEINT AS c0, [1, 2]::INTEGER[2] AS c1 WHERE false'
    const spread = { columns, hashKeys, partitionCount: 2 }
    const written = await bench.run({ sql, output: { case: 'exchange', value: spread } })
    t.match(written, { kind: 'succeeded', files: [] })
  }
  const output = toResult([{ name: 'n', type: 'BIGINT' }, { name: 's', type: 'HUGEINT' }])
  const inputs = [inputOf(bench, 'ex0', columns, [])]
  const { frames } = await bench.result({ sql: 'SELECT count(*), max(c0) FROM ex0', inputs, output })
  t.strictSame([0, 1].map(i => columnTexts(toTable(frames), i)), [['0'], [null]])
})

t.test('an input that is gone is INPUT_LOST with the executor that had it', async t => {
  const bench = await openWorkbench(t)
  const columns = [{ type: 'BIGINT', wireType: 'BIGINT' }]
  const files = [{ partition: 0, path: 'q/9/0.0/rows.parquet', sizeBytes: 100, rowCount: 1 }]
  const outcome = await bench.run({
    sql: 'SELECT c0 FROM ex0', inputs: [inputOf(bench, 'ex0', columns, files)],
    output: { case: 'exchange', value: { columns, partitionCount: 1 } },
  })
  t.match(outcome, { kind: 'failed', cause: { code: 'INPUT_LOST' }, lostExecutors: ['e1'] })
})

t.test('one row, and more partitions than rows or open files', async t => {
  const bench = await openWorkbench(t)
  for (const [rows, partitionCount] of [[1, 1], [1, 8], [3_000, 300]] as const) {
    const { written, totals } = await exchanged(bench, rows, partitionCount, 2)
    t.strictSame(totals, [String(rows), String(rows * (rows - 1) / 2)])
    t.ok(written.files.every(({ partition, rowCount }) => partition < partitionCount && rowCount > 0))
    t.ok(new Set(written.files.map(({ partition }) => partition)).size > 0.9 * Math.min(rows, partitionCount))
  }
})
