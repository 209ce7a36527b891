/** Filters of a plan as filters of files. */

import t from 'tap'
import { pruneFilter } from '../../coordinator/prune-filter.ts'
import type { ComparisonOp, Constant, Expression, Literal } from '../../planner/expression.ts'
import { parseDuckType } from '../../proto/types.ts'

const column = (index: number, type = 'BIGINT'): Expression => ({ kind: 'ColumnRef', index, type: parseDuckType(type) })
const constant = (value: Literal, type = 'BIGINT'): Constant => ({ kind: 'Constant', value, type: parseDuckType(type) })
const int = (value: bigint) => constant({ kind: 'integer', value })
const nothing = constant({ kind: 'null' })
const compare = (op: ComparisonOp, left: Expression, right: Expression): Expression =>
  ({ kind: 'Comparison', op, left, right })
const operator = (op: 'IN' | 'NOT IN' | 'IS NULL' | 'IS NOT NULL' | 'NOT', ...children: Expression[]): Expression =>
  ({ kind: 'Operator', op, children, type: parseDuckType('BOOLEAN') })
const both = (op: 'AND' | 'OR', ...children: Expression[]): Expression => ({ kind: 'Conjunction', op, children })

t.test('comparisons of a column with a constant, from either side', async t => {
  t.strictSame(pruneFilter(compare('<', column(3), int(7n))), { kind: 'compare', column: 3, op: '<', value: 7n })
  t.strictSame(pruneFilter(compare('<', int(7n), column(3))), { kind: 'compare', column: 3, op: '>', value: 7n })
  t.strictSame(pruneFilter(compare('>=', int(7n), column(3))), { kind: 'compare', column: 3, op: '<=', value: 7n })
  t.strictSame(pruneFilter(compare('IS NOT DISTINCT FROM', column(3), int(7n))),
    { kind: 'compare', column: 3, op: '=', value: 7n })
  t.strictSame(pruneFilter(compare('IS NOT DISTINCT FROM', nothing, column(3))), { kind: 'is-null', column: 3 })
  const ends = { lower: int(1n), upper: int(2n), lowerInclusive: true, upperInclusive: false }
  t.strictSame(pruneFilter({ kind: 'Between', input: column(1), ...ends }), {
    kind: 'and',
    filters: [{ kind: 'compare', column: 1, op: '>=', value: 1n }, { kind: 'compare', column: 1, op: '<', value: 2n }],
  })
})

t.test('IN, IS NULL, AND, OR', async t => {
  const known = compare('=', column(0), int(1n))
  const read = { kind: 'compare', column: 0, op: '=', value: 1n }
  const unknown = compare('=', column(0), column(1))
  t.strictSame(pruneFilter(operator('IN', column(2), int(1n), nothing, int(3n))),
    { kind: 'in', column: 2, values: [1n, 3n] })
  t.strictSame(pruneFilter(operator('IS NULL', column(2))), { kind: 'is-null', column: 2 })
  t.strictSame(pruneFilter(operator('IS NOT NULL', column(2))), { kind: 'is-not-null', column: 2 })
  t.strictSame(pruneFilter(both('AND', known, unknown)), { kind: 'and', filters: [read] },
    'AND leaves out what is not known')
  t.strictSame(pruneFilter(both('OR', known, known)), { kind: 'or', filters: [read, read] })
  t.equal(pruneFilter(both('OR', known, unknown)), null, 'OR with something unknown says nothing')
  t.equal(pruneFilter(both('AND', unknown, unknown)), null)
})

t.test('values are those of statistics', async t => {
  const value = (literal: Literal, type: string) => {
    const filter = pruneFilter(compare('=', column(0, type), constant(literal, type)))
    return filter?.kind === 'compare' ? filter.value : filter
  }
  t.strictSame([
    value({ kind: 'decimal', unscaled: 150n }, 'DECIMAL(9,2)'), value({ kind: 'date', days: -1 }, 'DATE'),
    value({ kind: 'timestamp', count: 5n }, 'TIMESTAMP_NS'), value({ kind: 'float', text: '0.1' }, 'DOUBLE'),
    value({ kind: 'float', text: '0.1' }, 'FLOAT'), value({ kind: 'float', text: '-inf' }, 'DOUBLE'),
    value({ kind: 'text', value: 'é' }, 'VARCHAR'), value({ kind: 'boolean', value: false }, 'BOOLEAN'),
  ], [150n, -1n, 5n, 0.1, Math.fround(0.1), -Infinity, 'é', false])
})

t.test('everything else says nothing about files', async t => {
  const type = parseDuckType('BIGINT')
  const wide = { kind: 'Cast', child: column(0, 'INTEGER'), type, try: false, origin: null } as const
  const nan = constant({ kind: 'float', text: 'nan' }, 'DOUBLE')
  const filters = [
    compare('=', wide, int(1n)), compare('=', column(0, 'INTEGER'), int(1n)), compare('=', column(0), nothing),
    compare('<>', column(0), int(1n)), compare('IS DISTINCT FROM', column(0), int(1n)),
    compare('=', column(0, 'DOUBLE'), nan), operator('NOT IN', column(0), int(1n)),
    compare('=', column(0, 'JSON'), constant({ kind: 'text', value: '1' }, 'JSON')), operator('IN', wide, int(1n)),
    operator('NOT', compare('=', column(0), int(1n))), operator('IN', column(0), column(1)),
    compare('=', column(0, 'UUID'), constant({ kind: 'uuid', stored: 1n }, 'UUID')), int(1n), column(0, 'BOOLEAN'),
    compare('=', column(0, 'DECIMAL(9,2)'), constant({ kind: 'decimal', unscaled: 1n }, 'DECIMAL(9,3)')),
  ]
  t.strictSame(filters.map(pruneFilter), filters.map(() => null))
})
