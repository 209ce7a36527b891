/** Which scans of a fragment are read from their beginning on, until there are rows enough for its LIMIT. */

import t from 'tap'
import { enoughRows, type Streamed } from '../../planner/enough-rows.ts'
import type { AggregateCall, Expression } from '../../planner/expression.ts'
import type { Exchange, Join, JoinType, Plan, Scan, SetOperation } from '../../planner/plan.ts'
import type { DuckType } from '../../proto/types.ts'

const boolean: DuckType = { kind: 'scalar', name: 'BOOLEAN' }
const bigint: DuckType = { kind: 'scalar', name: 'BIGINT' }
const double: DuckType = { kind: 'scalar', name: 'DOUBLE' }
const truth: Expression = { kind: 'Constant', value: { kind: 'boolean', value: true }, type: boolean }
const random: Expression = { kind: 'Call', name: 'random', children: [], type: double, isOperator: false, aliases: [] }
const column = (type: DuckType): Expression => ({ kind: 'ColumnRef', index: 0, type })

const scan = (table: number, filters: Expression[] = []): Scan =>
  ({ kind: 'Scan', table, columns: [0], filters, rows: 99 })
const [a, b, c] = [scan(0), scan(1, [truth]), scan(2)]
const limit = (input: Plan, value: number | null, offset = 0): Plan =>
  ({ kind: 'Limit', input, limit: value === null ? null : { kind: 'rows', value }, offset, rows: 9 })
const project = (input: Plan): Plan => ({ kind: 'Project', input, expressions: [column(bigint)], rows: 9 })
const filter = (input: Plan, predicate: Expression = truth): Plan =>
  ({ kind: 'Filter', input, predicates: [predicate], output: null, rows: 9 })
const unnest = (input: Plan): Plan => ({ kind: 'Unnest', input, calls: [], rows: 9 })
const join = (type: JoinType, left: Plan, right: Plan, asof = false): Join => ({
  kind: 'Join', type, asof, left, right, conditions: [], predicate: truth, leftOutput: null, rightOutput: null, rows: 9,
})
const cross = (left: Plan, right: Plan): Plan => ({ kind: 'CrossProduct', left, right, rows: 9 })
const set = (op: SetOperation['op'], all: boolean, ...inputs: Plan[]): Plan =>
  ({ kind: 'SetOperation', op, all, inputs, rows: 9 })
const exchange = (input: Plan): Exchange =>
  ({ kind: 'Exchange', input, to: { kind: 'broadcast' }, shared: null, reads: 'own', why: '', rows: 9 })
const aggregate = (input: Plan, name: string, type: DuckType, group: DuckType = bigint): Plan => {
  const call: AggregateCall = {
    kind: 'AggregateCall', name, children: [column(type)], distinct: false, filter: null, orders: [], bound: [], type,
  }
  return { kind: 'Aggregate', input, groups: [column(group)], calls: [call], sets: null, groupings: [], rows: 9 }
}
const distinct = (input: Plan, type = bigint): Plan =>
  ({ kind: 'Distinct', input, on: false, targets: [column(type)], orders: [], rows: 9 })
const sort = (input: Plan): Plan => ({ kind: 'Sort', input, orders: [], output: null, rows: 9 })

/** `0`, `0|1` for either, `0&1` for every; null: it reads all. */
function streamedBelow(plan: Plan, rows = 10): string | null {
  const text = (streamed: Streamed<Scan>): string => streamed.kind === 'scan' ? String(streamed.scan.table)
    : `(${streamed.of.map(text).join(streamed.kind === 'either' ? '|' : '&')})`
  const enough = enoughRows(limit(plan, rows), new Set(['random']))
  return enough === null ? null : text(enough.streamed)
}

t.test('of one table, through what looks at each row by itself', async t => {
  const rows = (plan: Plan): number | null => enoughRows(plan, new Set(['random']))?.rows ?? null
  t.equal(rows(limit(b, 10)), 10)
  t.equal(rows(project(limit(project(filter(a)), 10, 5))), 10, 'what it skips does not count')
  t.equal(rows(limit(unnest(a), 3)), 3)
  t.equal(rows(limit(b, null, 5)), null)
  t.equal(rows(limit(b, 0)), null)
  t.equal(rows(b), null)
  t.equal(rows({ kind: 'Limit', input: b, limit: { kind: 'percent', value: 1 }, offset: 0, rows: 9 }), null)
})

t.test('of a join the side whose rows decide what comes out', async t => {
  const expected: Record<JoinType, string | null> = {
    INNER: '(0|1)', LEFT: '0', RIGHT: '1', FULL: null, SEMI: '0', ANTI: '0', RIGHT_SEMI: '1', RIGHT_ANTI: '1',
    MARK: '0', SINGLE: '0',
  }
  for (const [type, streamed] of Object.entries(expected)) {
    t.equal(streamedBelow(project(filter(join(type as JoinType, filter(a), project(b))))), streamed, type)
    t.equal(streamedBelow(join(type as JoinType, a, b, true)), null, `ASOF ${type}`)
  }
  t.equal(streamedBelow(cross(a, b)), '(0|1)')
})

t.test('in trees of joins, with what other stages wrote read whole', async t => {
  t.equal(streamedBelow(join('LEFT', join('INNER', a, b), c)), '(0|1)')
  t.equal(streamedBelow(join('INNER', join('LEFT', a, b), join('RIGHT_ANTI', a, c))), '2', 'a is read twice')
  t.equal(streamedBelow(join('INNER', exchange(a), b)), '1')
  t.equal(streamedBelow(join('LEFT', exchange(a), b)), null)
  t.equal(streamedBelow(exchange(b)), null)
  t.equal(streamedBelow(join('SEMI', a, exchange(limit(sort(b), 1)))), '0', 'what was written stays the same')
})

t.test('of UNION ALL every input that may be', async t => {
  t.equal(streamedBelow(set('UNION', true, filter(a), b, exchange(c))), '(0&1)')
  t.equal(streamedBelow(set('UNION', true, join('INNER', a, b), c)), '((0|1)&2)')
  t.equal(streamedBelow(set('UNION', true, join('FULL', a, b), c)), '2')
  t.equal(streamedBelow(set('UNION', true, filter(a), a)), null, 'one table in two places')
  t.equal(streamedBelow(set('UNION', false, a, b)), null)
  t.equal(streamedBelow(set('EXCEPT', true, a, b)), null)
  t.equal(streamedBelow(set('INTERSECT', true, a, b)), null)
})

t.test('none above what looks at rows together', async t => {
  t.equal(streamedBelow(sort(b)), null)
  t.equal(streamedBelow(distinct(b)), null)
  t.equal(streamedBelow(aggregate(b, 'count', bigint)), null)
  t.equal(streamedBelow({ kind: 'Window', input: b, calls: [], rows: 9 }), null)
  t.equal(streamedBelow({ kind: 'TopN', input: b, orders: [], limit: 3, offset: 0, rows: 9 }), null)
  t.equal(streamedBelow(limit(b, 3)), null)
  const delim: Plan = { kind: 'DelimJoin', join: join('LEFT', a, b), source: 'left', keys: [], rows: 9 }
  t.equal(streamedBelow(delim), null)
})

t.test('none beside what may give other rows the next time', async t => {
  const beside = (other: Plan): string | null => streamedBelow(join('INNER', a, other))
  t.equal(streamedBelow(filter(b, random)), null)
  t.equal(streamedBelow(scan(1, [random])), null)
  t.equal(beside(aggregate(filter(b, random), 'count', bigint)), null)
  t.equal(beside(limit(b, 3)), null)
  t.equal(beside({ kind: 'TopN', input: b, orders: [], limit: 3, offset: 0, rows: 9 }), null)
  t.equal(beside(join('INNER', b, c, true)), null)
  t.equal(beside(aggregate(b, 'sum', bigint)), '0')
  t.equal(beside(aggregate(b, 'sum', double)), null, 'sums of floats depend on the order')
  t.equal(beside(aggregate(b, 'count', bigint, double)), null, '0.0 and -0.0 are one group')
  t.equal(beside(aggregate(b, 'first', bigint)), null)
  t.equal(beside(distinct(b)), '0')
  t.equal(beside(distinct(b, double)), null)
  t.equal(beside(sort(b)), '0')
})
