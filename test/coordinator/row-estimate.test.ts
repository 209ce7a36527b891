/** What DuckDB is told of the rows that come out of a split. */

import t from 'tap'
import type { Table } from '../../catalog/table.ts'
import type { TaskRestriction } from '../../coordinator/key-ranges.ts'
import { inputRows, rowEstimate, selectivities } from '../../coordinator/row-estimate.ts'
import type { Split } from '../../coordinator/splits.ts'
import type { ComparisonOp, Expression } from '../../planner/expression.ts'
import type { FragmentScan } from '../../planner/fragment.ts'
import type { PlannedQuery } from '../../planner/planned-query.ts'
import type { DuckType } from '../../proto/types.ts'

const integer: DuckType = { kind: 'scalar', name: 'INTEGER' }
const chunk = { offset: 0, sizeBytes: 1, min: 0n, max: 99n, nullCount: 0 }
const table: Table = {
  name: { catalog: 'c', schema: 'main', table: 't' }, version: '1', filename: null,
  columns: [{ name: 'k', type: 'INTEGER' }],
  format: 'parquet', hiveKeys: [], readOptions: {}, shapes: [], rowCount: 1000, sizeBytes: 1, skeletonPath: '',
  distinctCounts: [100], files: [{
    file: { bucket: 'b', key: 'a', etag: '1', sizeBytes: 1 }, shape: 0, hiveValues: [], rowCount: 1000,
    rowGroups: [{ rowCount: 1000, columns: [chunk] }],
  }],
}
const k: Expression = { kind: 'ColumnRef', index: 0, type: integer }
const than = (op: ComparisonOp, value: bigint): Expression => ({
  kind: 'Comparison', op, left: k, right: { kind: 'Constant', value: { kind: 'integer', value }, type: integer },
})
const scan = (filters: readonly Expression[], filtered?: FragmentScan['filtered']): FragmentScan => ({
  id: 0, table: 0, columns: [0], filters, reads: 'split', ...(filtered === undefined ? {} : { filtered }),
})
const split = (rowCount: number, toRow = 0): Split => (
  { file: { bucket: 'b', key: 'a', etag: '1', sizeBytes: 1 }, shape: 0, fromRow: 0, toRow, sizeBytes: 1, rowCount })
const restricted = (share: number) => ({ relation: 'scan0', column: 0, ranges: [], fileRanges: [], share })
const [inside, above, both] = [
  { inside: true, above: false }, { inside: false, above: true }, { inside: true, above: true },
]

/** Of a split of a table of one file. */
function estimate(one: FragmentScan, of: Split, restrictions: readonly TaskRestriction[] = [], other = table): bigint {
  const files = new Map([[one.id, other.files.map(file => ({ file, rowGroups: [0] }))]])
  const planned = { fragments: [{ scans: [one] }] } as unknown as PlannedQuery
  const known = selectivities({ planned, tables: [other], files, inputBytes: 0 })
  return rowEstimate(known.get(one.id), other, restrictions)(of)
}

t.test('so many as its filters leave', async t => {
  t.equal(estimate(scan([than('<', 25n)], inside), split(1000)), 250n)
  t.equal(estimate(scan([than('=', 5n)], inside), split(500, 500)), 5n)
  t.equal(estimate(scan([than('<>', 5n)], inside), split(1000)), 200n, 'a guess')
  t.equal(estimate(scan([than('=', -7n)], inside), split(9000)), 9n, 'never next to none')
})

t.test('five times as many where DuckDB guesses once more', async t => {
  t.equal(estimate(scan([than('<', 25n)], above), split(1000)), 1250n)
  t.equal(estimate(scan([than('<', 25n), than('<', 10n)], both), split(1000)), 500n)
})

t.test('the share of what a task is restricted to', async t => {
  t.equal(estimate(scan([]), split(1000), [restricted(0.5), restricted(0.3)]), 300n)
  t.equal(inputRows(700, [restricted(0.5)]), 350n)
})

t.test('nothing where DuckDB counts them itself', async t => {
  t.equal(estimate(scan([]), split(1000)), 0n)
  t.equal(estimate(scan([]), split(1000, 1000)), 1000n, 'a range of rows is a filter for DuckDB')
  t.equal(estimate(scan([than('<', 25n)], inside), split(1000), [], { ...table, format: 'csv' }), 0n)
  t.equal(inputRows(700, []), 0n)
})
