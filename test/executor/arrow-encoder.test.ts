/** Results as Arrow: decoded by apache-arrow, every value compared with the text that SQL gives of it. */

import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { readSchema } from '../../proto/arrow.ts'
import { columnTexts, toTable } from './arrow-text.ts'
import { textCases, textsSql, typeCases, valuesSql, type TypeCase } from './arrow-types.ts'
import { openWorkbench, toResult, type Workbench } from './workbench.ts'

const ROWS = 5_000

async function compare(t: Test, bench: Workbench, cases: readonly TypeCase[], nulls: boolean): Promise<void> {
  const sql = valuesSql(cases, ROWS, nulls)
  const columns = cases.map(({ name, type }) => ({ name, type }))
  const actual = await bench.result({ sql, output: toResult(columns), preserveOrder: true })
  if (actual.outcome.kind === 'failed') throw actual.outcome.cause
  const expected = await bench.result({
    sql: textsSql(cases, ROWS, nulls), preserveOrder: true,
    output: { case: 'result', value: { columns: cases.map(({ name }) => ({ name, type: 'VARCHAR' })) } },
  })
  if (expected.outcome.kind === 'failed') throw expected.outcome.cause
  const [table, oracle] = [toTable(actual.frames), toTable(expected.frames)]
  const wrong = cases.flatMap(({ type, sql }, i) => {
    const [got, want] = [columnTexts(table, i), columnTexts(oracle, i)]
    const at = want.findIndex((text, row) => text !== got[row])
    return got.length === ROWS && at === -1 ? [] : [`${type} ${sql} row ${at}: ${got[at]} instead of ${want[at]}`]
  })
  t.strictSame(wrong, [])
}

t.test('every type without NULLs', async t => compare(t, await openWorkbench(t), typeCases, false))
t.test('every type with NULLs', async t => compare(t, await openWorkbench(t), typeCases, true))
t.test('types that Arrow has no form for are text', async t => compare(t, await openWorkbench(t), textCases, false))

t.test('fields carry DuckDB\'s type, and columns of one name stay apart', async t => {
  const bench = await openWorkbench(t)
  const columns = [{ name: 'a', type: 'BIGINT' }, { name: 'a', type: "ENUM('x')" }]
  const { frames } = await bench.result({ sql: "SELECT 1::BIGINT, 'x'::ENUM('x')", output: toResult(columns) })
  const table = toTable(frames)
  const fields = frames.slice(0, 1).flatMap(frame => readSchema(frame).fields)
  t.strictSame(fields.map(({ name, metadata }) => [name, metadata.get('skein.type')]),
    [['a', 'BIGINT'], ['a', "ENUM('x')"]])
  t.strictSame([columnTexts(table, 0), columnTexts(table, 1)], [['1'], ['x']])
})

t.test('an empty result has a schema and no batch', async t => {
  const bench = await openWorkbench(t)
  const columns = [{ name: 'a', type: 'VARCHAR' }]
  const { frames } = await bench.result({ sql: "SELECT 'x' WHERE false", output: toResult(columns) })
  t.equal(frames.length, 1)
})

t.test('batches stay near 1 MiB, whatever the rows are', async t => {
  const bench = await openWorkbench(t)
  const columns = [{ name: 'a', type: 'VARCHAR' }]
  const { frames } = await bench.result({
    sql: "SELECT repeat('x', 20000) || i FROM range(2048) t(i)", output: toResult(columns), preserveOrder: true,
  })
  t.ok(frames.every(({ dataBody }) => dataBody.length <= 1024 * 1024 + 64), 'no body is larger')
  t.strictSame(columnTexts(toTable(frames), 0).map(text => text?.slice(20000)),
    Array.from({ length: 2048 }, (_, i) => String(i)))
})

t.test('long strings in runs of every length, between short ones and NULLs', async t => {
  const bench = await openWorkbench(t)
  // runs of 1 to 60 long strings; then long ones only, a chunk of short ones, and one kind after the other
  const text = `CASE WHEN i BETWEEN 10240 AND 12287 THEN 's' || i
    WHEN i < 1830 AND (sqrt(8 * i + 1) % 1 = 0) THEN NULL WHEN i BETWEEN 1830 AND 9000
    OR i % 50 > 5 OR i < 1830 THEN repeat(chr((65 + i % 26)::INTEGER), 13 + i % 300) || i
    WHEN i % 2 = 0 THEN '' ELSE 's' || i END`
  const columns = [{ name: 'a', type: 'VARCHAR' }, { name: 'm', type: 'VARCHAR' }, { name: 'l', type: 'VARCHAR[]' }]
  const { outcome, frames } = await bench.result({
    sql: `SELECT a, md5(a), [a, 'x', a] FROM (SELECT ${text} AS a FROM range(20000) t(i))`,
    output: toResult(columns), preserveOrder: true,
  })
  if (outcome.kind === 'failed') throw outcome.cause
  const table = toTable(frames)
  const [texts, sums, lists] = [columnTexts(table, 0), columnTexts(table, 1), columnTexts(table, 2)]
  const hash = (value: string) => createHash('md5').update(value).digest('hex')
  const wrong = texts.flatMap((value, row) => {
    const isRight = typeof value === 'string' ? hash(value) === sums[row] : sums[row] === value
    return isRight && lists[row] === JSON.stringify([value, 'x', value]) ? [] : [`row ${row}: ${value}`]
  })
  t.equal(texts.length, 20_000)
  t.strictSame(wrong, [])
})

t.test('an interval that nanoseconds cannot hold is an error, and under NULL nothing is looked at', async t => {
  const bench = await openWorkbench(t)
  const columns = [{ name: 'a', type: 'INTERVAL' }]
  const { outcome } = await bench.result({ sql: 'SELECT to_hours(3000000)', output: toResult(columns) })
  t.match(outcome, { kind: 'failed', cause: { code: 'EXECUTION_ERROR', message: /292 years/ } })
})
