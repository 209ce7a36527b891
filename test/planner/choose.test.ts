/** When a query runs whole, and what it says of that. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { wholeReason } from '../../planner/choose.ts'
import type { PlanThresholds } from '../../planner/planned-query.ts'
import { FORCED, Planning, writeTables } from './planning.ts'
import { tables } from './tables.ts'

const MEBIBYTE = 1024 * 1024

const folder = await mkdtemp(join(tmpdir(), 'skein-choose-'))
t.teardown(() => rm(folder, { recursive: true }))
await writeTables(folder, tables, 1)
const planning = await Planning.open(folder, Object.keys(tables))
t.teardown(() => planning.close())

async function reason(sql: string, thresholds: Partial<PlanThresholds>, bytes = 0): Promise<string | null> {
  return wholeReason(await planning.decoded(sql), {
    tables: planning.tables, thresholds: { ...FORCED, ...thresholds }, estimates: [{ rows: 1, bytes }],
  })
}

t.test('a query that reads less than the threshold runs whole', async t => {
  const wholeBytes = 32 * MEBIBYTE
  t.equal(await reason('SELECT id FROM t', { wholeBytes }, 12.3 * MEBIBYTE), 'small: 12.3 MB to read, under 32 MB')
  t.equal(await reason('SELECT id FROM t', { wholeBytes }, wholeBytes), null)
  t.equal(await reason('SELECT id FROM t', { wholeBytes: 0 }), null)
})

t.test('a query without a table to split runs whole, whatever the threshold', async t => {
  t.equal(await reason('SELECT 1', {}), 'nothing to split: it reads no table')
  t.equal(await reason('SELECT k FROM solid', { replicateRows: 7 }), 'nothing to split: solid has 7 rows')
})

t.test('what takes sorted rows in their order runs whole', async t => {
  for (const sql of [
    'SELECT list(k) FROM (SELECT k FROM t ORDER BY id)',
    'SELECT *, row_number() OVER () FROM (FROM t ORDER BY k, id)',
  ]) {
    const planned = await planning.plan(sql, FORCED)
    t.match(planned, { wholeReason: 'rows are taken in the order of a subquery', sqlKind: 'emitted' }, sql)
  }
})
