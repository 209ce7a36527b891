/** Splits in groups that share no value of a column: by hand, and by chance against the values themselves. */

import t from 'tap'
import type { DataFile } from '../../catalog/table.ts'
import { divided } from '../../coordinator/divide.ts'
import type { PrunedFile } from '../../coordinator/query-ports.ts'
import { splits } from '../../coordinator/splits.ts'
import { mulberry32 } from '../random.ts'

type Value = number | null
/** Rows by row group; 'unknown': no bounds were written. */
type Groups = readonly (readonly Value[] | 'unknown')[]

/** Column 0, by values. */
function file(key: string, ...groups: Groups): PrunedFile {
  const chunk = (values: readonly Value[] | 'unknown') => {
    const own = values === 'unknown' ? [] : values.filter(value => value !== null)
    const bound = (of: (...values: number[]) => number): bigint | null => own.length === 0 ? null : BigInt(of(...own))
    return {
      offset: 0, sizeBytes: 1, min: bound(Math.min), max: bound(Math.max),
      nullCount: values === 'unknown' ? null : values.length - own.length,
    }
  }
  const rowsOf = (values: readonly Value[] | 'unknown'): number => values === 'unknown' ? 10 : values.length
  const made: DataFile = {
    file: { bucket: 'lake', key, etag: '1', sizeBytes: groups.length }, shape: 0, hiveValues: [],
    rowCount: groups.reduce((sum, values) => sum + rowsOf(values), 0),
    rowGroups: groups.map(values => ({ rowCount: rowsOf(values), columns: [chunk(values)] })),
  }
  return { file: made, rowGroups: groups.map((_, i) => i) }
}

/** Keys of the files of each group, with the rows of those that are cut. */
function groups(files: readonly PrunedFile[], targetTasks = 1, columns: readonly number[] = [0]): string[] {
  return divided(splits(files, [0], targetTasks), files, columns).map(group => group.map(({ file, fromRow, toRow }) =>
    toRow === 0 ? file.key : `${file.key}[${fromRow},${toRow})`).join(' ')).sort()
}

t.test('files that share no value are groups of their own, those that do are one', async t => {
  t.strictSame(groups([file('a', [0, 9]), file('b', [10, 19]), file('c', [20, 29])]), ['a', 'b', 'c'])
  t.strictSame(groups([file('a', [0, 10]), file('b', [10, 19]), file('c', [20, 29])]), ['a b', 'c'])
  t.strictSame(groups([file('a', [0, 99]), file('b', [10, 19]), file('c', [200, 299])]), ['a b', 'c'], 'inside')
  t.strictSame(groups([file('a', [0, 9], [40, 49]), file('b', [20, 29])]), ['a', 'b'], 'between its row groups')
  t.strictSame(groups([file('a', [5]), file('b', [5]), file('c', [6])]), ['a b', 'c'])
  t.strictSame(groups([file('a', [0, 10]), file('b', [20, 30]), file('c', [5, 25])]), ['a b c'], 'by a third')
})

t.test('a file that is cut is cut between its values', async t => {
  t.strictSame(groups([file('a', [0, 9], [10, 19], [20, 29])], 3), ['a[0,2)', 'a[2,4)', 'a[4,6)'])
  t.strictSame(groups([file('a', [0, 9], [9, 19], [20, 29])], 3), ['a[0,2) a[2,4)', 'a[4,6)'])
})

t.test('whatever has a NULL is one group, and so is all that may have one', async t => {
  t.strictSame(groups([file('a', [0, null]), file('b', [10, 11]), file('c', [20, null])]), ['a c', 'b'])
  t.strictSame(groups([file('a', [null]), file('b', [10, 11]), file('c', [20, null])]), ['a c', 'b'])
  t.strictSame(groups([file('a', 'unknown'), file('b', [10, 11]), file('c', [20, 21])]), ['a b c'])
  t.strictSame(groups([file('csv'), file('b', [10, 11])]), ['csv b'], 'a file without row groups')
})

t.test('of no column, every split is alone; of none, there is none', async t => {
  t.strictSame(groups([file('a', [0, 9]), file('b', [0, 9])], 1, []), ['a', 'b'])
  t.strictSame(groups([]), [])
})

t.test('by chance: no value is in two groups, and nothing is lost', async t => {
  const wrong: string[] = []
  for (let seed = 0; seed < 300; seed++) {
    const random = mulberry32(seed)
    const below = (count: number): number => Math.floor(random() * count)
    const width = 1 + below(30)
    const values = (at: number): Value[] => Array.from({ length: 1 + below(4) }, () =>
      below(25) === 0 ? null : at * 10 + below(width) - below(width))
    const contents = Array.from({ length: 1 + below(8) }, (_, i) =>
      Array.from({ length: 1 + below(4) }, () => values(i)))
    const files = contents.map((groups, i) => file(`${i}`, ...groups))
    const made = divided(splits(files, [0], 1 + below(12)), files, [0])
    const seen = new Map<Value, number>()
    let rows = 0
    made.forEach((group, i) => {
      for (const { file, fromRow, toRow } of group) {
        const all = contents[Number(file.key)]?.flat() ?? []
        for (const value of toRow === 0 ? all : all.slice(fromRow, toRow)) {
          rows++
          if ((seen.get(value) ?? i) !== i) wrong.push(`SEED=${seed}: ${value} is in two groups`)
          seen.set(value, i)
        }
      }
    })
    if (rows !== contents.flat(2).length) wrong.push(`SEED=${seed}: ${rows} rows`)
  }
  t.strictSame(wrong, [])
})
