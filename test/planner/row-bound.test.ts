/** What is certain of the number of rows, and what is not. */

import t from 'tap'
import type { Plan } from '../../planner/plan.ts'
import { boundingExchange, maxRows } from '../../planner/row-bound.ts'

const scan: Plan = { kind: 'Scan', table: 0, columns: [0], filters: [], rows: 3 }
const oneRow: Plan = { kind: 'OneRow', rows: 1 }
const group = { kind: 'ColumnRef', index: 0, type: { kind: 'scalar', name: 'INTEGER' } } as const
const aggregate = (input: Plan, groups: readonly typeof group[], sets: number[][] | null = null): Plan =>
  ({ kind: 'Aggregate', input, groups, calls: [], sets, groupings: [], rows: 1 })

t.test('rows are bounded by a limit, by an aggregate without groups, and by constants', async t => {
  t.equal(maxRows(oneRow), 1)
  t.equal(maxRows({ kind: 'Empty', types: [], rows: 0 }), 0)
  t.equal(maxRows({ kind: 'Values', input: oneRow, rowExpressions: [[group], [group], [group]], width: 1, rows: 3 }), 3)
  t.equal(maxRows(aggregate(scan, [])), 1)
  t.equal(maxRows({ kind: 'TopN', input: scan, orders: [], limit: 10, offset: 5, rows: 3 }), 10)
  const limit: Plan = { kind: 'Limit', input: scan, limit: { kind: 'rows', value: 7 }, offset: 0, rows: 3 }
  t.equal(maxRows({ kind: 'Project', input: limit, expressions: [], rows: 3 }), 7)
  t.equal(maxRows(aggregate(limit, [group])), 7)
})

t.test('estimates bound nothing, and neither does what makes more rows of one', async t => {
  t.equal(maxRows(scan), null)
  t.equal(maxRows(aggregate(scan, [group])), null)
  t.equal(maxRows(aggregate(oneRow, [group], [[0], []])), null)
  t.equal(maxRows({ kind: 'CrossProduct', left: oneRow, right: oneRow, rows: 1 }), null)
  t.equal(maxRows({ kind: 'Unnest', input: oneRow, calls: [], rows: 1 }), null)
  t.equal(maxRows({ kind: 'Limit', input: scan, limit: { kind: 'percent', value: 1 }, offset: 0, rows: 3 }), null)
})

t.test('rows that come from an exchange are bounded by it, if each gives one row at most', async t => {
  const exchange: Plan = {
    kind: 'Exchange', input: scan, to: { kind: 'gather' }, shared: 0, reads: 'own', rows: 3, why: '',
  }
  t.equal(boundingExchange(exchange), exchange)
  const groups = aggregate(exchange, [group])
  t.equal(boundingExchange({ kind: 'Sort', input: groups, orders: [], output: null, rows: 3 }), exchange)
  t.equal(boundingExchange(aggregate(exchange, [])), null, 'a row of none')
  t.equal(boundingExchange(aggregate(exchange, [group], [[0], []])), null)
  t.equal(boundingExchange({ kind: 'Unnest', input: exchange, calls: [], rows: 1 }), null)
  t.equal(boundingExchange({ kind: 'CrossProduct', left: exchange, right: oneRow, rows: 1 }), null)
  t.equal(boundingExchange(scan), null)
})
