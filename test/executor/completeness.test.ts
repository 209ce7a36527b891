/** A result is whole or an error: DuckDB ends a stream that fails after its first chunk exactly like a complete one. */

import t, { type Test } from 'tap'
import { systemClock } from '../../proto/clock.ts'
import { columnTexts, toTable } from './arrow-text.ts'
import { openWorkbench, toResult, type Workbench } from './workbench.ts'

const ROWS = 1_200_000

const failures: readonly (readonly [what: string, sql: string, message: RegExp])[] = [
  [
    'a cast in the last row',
    `SELECT CAST(CASE WHEN i = ${ROWS - 1} THEN 'x' ELSE i::VARCHAR END AS INTEGER) FROM range(${ROWS}) t(i)`,
    /^Conversion Error: Could not convert string 'x' to INT32/,
  ],
  ['an overflow', `SELECT (i * 1790)::INTEGER FROM range(${ROWS}) t(i)`, /^Conversion Error: .*INT32/],
  [
    'error()', `SELECT CASE WHEN i = ${ROWS - 1} THEN error('boom') ELSE 1 END::INTEGER FROM range(${ROWS}) t(i)`,
    /^Invalid Input Error: boom/,
  ],
]

async function fails(t: Test, bench: Workbench, sql: string, preserveOrder: boolean, message: RegExp): Promise<void> {
  const columns = [{ name: 'a', type: 'INTEGER' }]
  const { outcome, frames } = await bench.result({ sql, preserveOrder, output: toResult(columns) })
  t.match(outcome, { kind: 'failed', cause: { code: 'EXECUTION_ERROR', message } })
  t.equal(frames.length, 0)
}

for (const [what, sql, message] of failures) {
  t.test(`${what} after a million rows is an error with DuckDB's message`, async t => {
    const bench = await openWorkbench(t)
    for (const preserveOrder of [true, false]) await fails(t, bench, sql, preserveOrder, message)
  })
}

t.test('the same rows without the error are all there', async t => {
  const bench = await openWorkbench(t)
  const columns = [{ name: 'a', type: 'INTEGER' }]
  const sql = `SELECT i::INTEGER FROM range(${ROWS}) t(i)`
  const { outcome, frames } = await bench.result({ sql, preserveOrder: true, output: toResult(columns) })
  t.match(outcome, { kind: 'succeeded', stats: { rowCount: ROWS } })
  const texts = columnTexts(toTable(frames), 0)
  t.equal(texts.length, ROWS)
  t.equal(texts.findIndex((text, i) => text !== String(i)), -1)
})

t.test('a cancelled stream is CANCELLED, soon', async t => {
  const bench = await openWorkbench(t)
  const columns = [{ name: 'a', type: 'BIGINT' }]
  const controller = new AbortController()
  const sql = 'SELECT sum(i * j) FROM range(10000000) a(i), range(10000000) b(j)'
  const startMs = systemClock.nowMs()
  systemClock.after(100, () => controller.abort())
  const { outcome } = await bench.result({ sql, output: toResult(columns) }, controller.signal)
  t.match(outcome, { kind: 'failed', cause: { code: 'CANCELLED' } })
  t.ok(systemClock.nowMs() - startMs < 5_000)
})

t.test('a failure of emitted text has the place that its mark says, of the user\'s own text its own', async t => {
  const bench = await openWorkbench(t)
  const columns = [{ name: 'a', type: 'INTEGER' }]
  const sql = "SELECT CAST(s AS INTEGER) FROM (VALUES ('é1'), ('x')) v(s)"
  const emitted = await bench.result({ sql, output: toResult(columns) })
  const marked = await bench.result({ sql: sql.replace('CAST(', 'CAST(/*@41 my%20word*/ '), output: toResult(columns) })
  const original = await bench.result({ sql, sqlKind: 2, output: toResult(columns) })
  t.match(emitted.outcome, { kind: 'failed', cause: { code: 'EXECUTION_ERROR', position: undefined } })
  t.match(marked.outcome, { kind: 'failed', cause: { position: 41, message: /from source column my word$/ } })
  t.match(original.outcome, { kind: 'failed', cause: { code: 'EXECUTION_ERROR', position: 7 } })
})
