/** A result that is certain to be small is had at once: the same frames as streamed, the same errors. */

import t from 'tap'
import { columnTexts, toTable } from './arrow-text.ts'
import { openWorkbench, toResult } from './workbench.ts'

const columns = [{ name: 'a', type: 'BIGINT' }, { name: 'b', type: 'VARCHAR' }, { name: 'c', type: 'INTEGER[]' }]
const result = (maxRows: bigint) => {
  const { value, ...rest } = toResult(columns)
  return { ...rest, value: { ...value, maxRows } }
}

t.test('streamed and at once, rows are the same', async t => {
  const bench = await openWorkbench(t)
  for (const rows of [0, 1, 1000]) {
    const sql = `SELECT i, CASE WHEN i % 3 > 0 THEN 'x' || i END, [i, NULL]::INTEGER[] FROM range(${rows}) t(i)`
    const texts = async (maxRows: bigint) => {
      const { frames, outcome } = await bench.result({ sql, output: result(maxRows), preserveOrder: true })
      t.match(outcome, { kind: 'succeeded', stats: { rowCount: rows } })
      return columns.map((_, i) => columnTexts(toTable(frames), i))
    }
    t.strictSame(await texts(1000n), await texts(0n), `${rows} rows`)
  }
})

t.test('a failure in any row is the whole result\'s, with its place in the user\'s own text', async t => {
  const bench = await openWorkbench(t)
  const sql = `SELECT i, CAST(CASE WHEN i = 900 THEN 'x' END AS INTEGER)::VARCHAR, NULL::INTEGER[]
    FROM range(1000) t(i)`
  const outcomes = []
  for (const maxRows of [1000n, 0n]) {
    const { outcome } = await bench.result({ sql, sqlKind: 2, output: result(maxRows) })
    outcomes.push(outcome)
    t.match(outcome, { kind: 'failed', cause: { code: 'EXECUTION_ERROR', position: sql.indexOf('CAST(') } })
  }
  const [few, many] = outcomes.map(outcome => outcome.kind === 'failed' ? outcome.cause.message : '')
  t.equal(few, many)
})
