/** Of which scans a LIMIT leaves the first rows, and of which all. */

import t from 'tap'
import type { Expression } from '../../planner/expression.ts'
import { firstRows } from '../../planner/first-rows.ts'
import type { Exchange, Plan, Scan, SetOperation } from '../../planner/plan.ts'

const scan: Scan = { kind: 'Scan', table: 0, columns: [0], filters: [], rows: 99 }
const other: Scan = { ...scan, table: 1 }
const limit = (input: Plan, value: number | null, offset = 0): Plan =>
  ({ kind: 'Limit', input, limit: value === null ? null : { kind: 'rows', value }, offset, rows: 9 })
const project = (input: Plan): Plan => ({ kind: 'Project', input, expressions: [], rows: 9 })
const both = (op: SetOperation['op'], all: boolean): Plan =>
  ({ kind: 'SetOperation', op, all, inputs: [scan, project(other)], rows: 9 })
const rowsOf = (plan: Plan, of = scan): number | undefined => firstRows(plan).get(of)

t.test('a limit and what it skips are enough, through projections and both parts of UNION ALL', async t => {
  t.equal(rowsOf(limit(scan, 10)), 10)
  t.equal(rowsOf(project(limit(project(scan), 10, 5))), 15)
  t.equal(rowsOf(limit(limit(scan, 10, 3), 4, 2)), 9)
  t.equal(rowsOf(limit(limit(scan, null, 3), 4)), 7)
  t.equal(rowsOf(limit(both('UNION', true), 6), other), 6)
  t.equal(rowsOf({ kind: 'CrossProduct', left: limit(scan, 2), right: other, rows: 9 }), 2)
})

t.test('so many rows of an exchange are enough, too', async t => {
  const to = { kind: 'gather' } as const
  const moved: Exchange = { kind: 'Exchange', input: scan, to, reads: 'own', shared: null, why: '', rows: 9 }
  t.equal(firstRows(limit(project(moved), 10, 5)).get(moved), 15)
  t.equal(firstRows(project(moved)).get(moved), undefined)
  t.equal(rowsOf(limit(moved, 10)), undefined, 'those of its writers are another fragment\'s')
})

const type = { kind: 'scalar', name: 'BOOLEAN' } as const
const truth: Expression = { kind: 'Constant', value: { kind: 'boolean', value: true }, type }

t.test('what may leave rows out needs them all', async t => {
  const filtered: Scan = { ...scan, filters: [truth] }
  t.equal(rowsOf(scan), undefined)
  t.equal(rowsOf(limit(scan, null, 5)), undefined)
  t.equal(rowsOf(limit(filtered, 10), filtered), undefined)
  t.equal(rowsOf(limit({ kind: 'Filter', input: scan, predicates: [truth], output: null, rows: 9 }, 10)), undefined)
  t.equal(rowsOf(limit(both('UNION', false), 6)), undefined)
  t.equal(rowsOf(limit(both('EXCEPT', true), 6)), undefined)
  t.equal(rowsOf(limit({ kind: 'CrossProduct', left: scan, right: other, rows: 9 }, 1)), undefined)
  const share: Plan = { kind: 'Limit', input: scan, limit: { kind: 'percent', value: 1 }, offset: 0, rows: 9 }
  t.equal(rowsOf(share), undefined)
  t.equal(rowsOf(limit(share, 10)), undefined, 'a share of all rows, not of the first')
})

t.test('a scan that is read in two places needs all if one of them does', async t => {
  t.equal(rowsOf({ kind: 'CrossProduct', left: limit(scan, 2), right: scan, rows: 9 }), undefined)
  t.equal(rowsOf({ kind: 'CrossProduct', left: scan, right: limit(scan, 2), rows: 9 }), undefined)
})
