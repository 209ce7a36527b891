/** Keys that a task tells, and ranges that its rows are written to by the bounds made of them. */

import t from 'tap'
import { rangeBounds } from '../../coordinator/ranges.ts'
import { openWorkbench } from './workbench.ts'

const ROWS = 40_000
const KEY = `create_sort_key(c0, 'DESC NULLS FIRST', '', 'ASC NULLS LAST')`
const columns = [{ type: 'INTEGER', wireType: 'INTEGER' }, { type: 'BIGINT', wireType: 'BIGINT' }]
/** The value 5 in half of the rows, NULL in some. */
const sql = `SELECT CASE WHEN i % 2 = 0 THEN 5 WHEN i % 21 <> 3 THEN (hash(i) % 1000)::INTEGER END AS c0, i AS c1
  FROM range(${ROWS}) t(i)`

t.test('few keys are told, in order, and stand for all rows that were looked at', async t => {
  const bench = await openWorkbench(t)
  const outcome = await bench.run({ sql, output: { case: 'sample', value: { key: KEY, percent: 100 } } })
  if (outcome.kind === 'failed') throw outcome.cause
  const { sample, files } = outcome
  t.ok(sample.length > 64 && sample.length <= 128, `${sample.length}`)
  const rows = sample.reduce((sum, { rows }) => sum + rows, 0)
  t.ok(rows > 0.98 * ROWS && rows <= ROWS, `${rows}`)
  t.ok(sample.every(({ key }, i) => i === 0 || Buffer.compare(sample[i - 1]?.key ?? key, key) <= 0))
  t.strictSame(files, [])
  const some = await bench.run({ sql, output: { case: 'sample', value: { key: KEY, percent: 0.1 } } })
  if (some.kind === 'failed') throw some.cause
  t.ok(some.sample.length > 0 && some.sample.length < 128, `${some.sample.length} of a thousandth`)
})

t.test('rows go to the ranges of their keys, the same ones again', async t => {
  const bench = await openWorkbench(t)
  const sampled = await bench.run({ sql, output: { case: 'sample', value: { key: KEY, percent: 100 } } })
  if (sampled.kind === 'failed') throw sampled.cause
  const bounds = [...rangeBounds([sampled.sample.map(one => ({ ...one, rows: BigInt(one.rows) }))], 8)]
  const write = async (ties: string[], attempt: number) => {
    const value = { columns, partitionCount: 8, range: { key: KEY, bounds, ties } }
    const written = await bench.run({ sql, attempt, stage: ties.length, output: { case: 'exchange', value } })
    if (written.kind === 'failed') throw written.cause
    const counts = Array.from({ length: 8 }, () => 0)
    for (const { partition, rowCount } of written.files) counts[partition] = (counts[partition] ?? 0) + rowCount
    return counts
  }
  const counts = await write(['c0', 'c1'], 0)
  t.equal(counts.reduce((sum, count) => sum + count, 0), ROWS)
  t.ok(Math.max(...counts) < 0.2 * ROWS, `the value of half the rows is spread: ${counts.join()}`)
  t.strictSame(await write(['c0', 'c1'], 1), counts)
  const together = await write([], 0)
  t.ok(Math.max(...together) > 0.4 * ROWS, `without what tells its rows apart it is not: ${together.join()}`)
})
