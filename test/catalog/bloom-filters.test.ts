/** Row groups that only their Bloom filters tell apart; the rows themselves are the judge. */

import t, { type Test } from 'tap'
import type { PruneFilter } from '../../catalog/prune.ts'
import { filteredColumns, filteredSelect, GROUP_ROWS } from './filtered-file.ts'
import { type Filtered, openFiltered, pruned } from './filtered-table.ts'
import type { Lake } from './lake.ts'

const write = (lake: Lake): Promise<void> =>
  lake.write('t.parquet', filteredSelect(), `, ROW_GROUP_SIZE ${GROUP_ROWS}`)
const open = (t: Test): Promise<Filtered> => openFiltered(t, write)

t.test('no row is in what was pruned, and nearly all that has none is pruned, for every type', async t => {
  const { kept, needed, wrong } = await pruned(await open(t), filteredColumns)
  t.strictSame(wrong, [])
  t.ok(needed > 100 && kept < 1.2 * needed, `${kept} row groups for ${needed}`)
})

t.test('lists, alternatives, zeros of either sign, and what is not known', async t => {
  const { table, prune } = await open(t)
  const at = (name: string): number => table.columns.findIndex(each => each.name === name)
  const is = (name: string, value: bigint | number | string): PruneFilter =>
    ({ kind: 'compare', column: at(name), op: '=', value })
  t.strictSame(await prune({ kind: 'in', column: at('i4'), values: [401n, 3999n] }), [1, 3])
  t.strictSame(await prune({ kind: 'or', filters: [is('i4', 401n), is('v', 'é2002')] }), [1, 2])
  t.strictSame(await prune(is('i4', 401n), is('v', 'é2002')), [])
  const isNull: PruneFilter = { kind: 'is-null', column: at('v') }
  t.strictSame(await prune({ kind: 'or', filters: [is('i4', 401n), isNull] }), [0, 1, 2, 3])
  t.strictSame(await prune(is('f8', 0)), [0])
  t.strictSame(await prune(is('f8', -0)), [0])
  t.strictSame(await prune(is('f4', -0)), [0])
  t.strictSame(await prune(is('f8', 17.25)), [])
  t.strictSame(await prune({ kind: 'compare', column: at('i4'), op: '>=', value: 401n }), [0, 1, 2, 3])
  t.strictSame(await prune(is('i4', 'é401')), [0, 1, 2, 3], 'a value of another kind')
})

t.test('a filter that cannot be read, or is none, leaves everything', async t => {
  const { lake, table, prune } = await open(t)
  const column = table.columns.findIndex(({ name }) => name === 'i4')
  await write(lake) // its etag is another now
  t.strictSame(await prune({ kind: 'compare', column, op: '=', value: 401n }), [0, 1, 2, 3])
})
