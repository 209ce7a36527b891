/** Which columns rows lie in order of, and which divide the files, from the bounds of row groups. */

import t from 'tap'
import type { StatValue } from '../../cache/statistics.ts'
import { FileIndex } from '../../catalog/file-index.ts'
import { dividedColumns, orderedColumns } from '../../catalog/ordered-columns.ts'

type Bounds = readonly [min: StatValue | null, max: StatValue | null] | 'nulls'
const ROWS = 10

/** One column, a file a row group. */
function isOrdered(...groups: Bounds[]): boolean {
  const index = new FileIndex(groups.map(bounds => {
    const [min, max] = bounds === 'nulls' ? [null, null] : bounds
    const chunk = { offset: 0, sizeBytes: 1, min, max, nullCount: bounds === 'nulls' ? ROWS : 0 }
    return { rowCount: ROWS, rowGroups: [{ rowCount: ROWS, columns: [chunk] }] }
  }))
  return orderedColumns(index)[0] === true
}

const apart: readonly Bounds[] = [[0n, 9n], [20n, 29n], [10n, 19n], [30n, 39n]]

t.test('ranges that hardly overlap, in any order of the files', async t => {
  t.ok(isOrdered(...apart))
  t.ok(isOrdered([0n, 12n], [20n, 33n], [10n, 22n], [30n, 39n]))
  t.ok(isOrdered(...apart, 'nulls'), 'what has no value is nowhere')
  t.ok(isOrdered([1n, 1n], [1n, 1n], [2n, 2n], [3n, 3n]), 'days, say')
})

t.test('values that may be anywhere', async t => {
  t.notOk(isOrdered([0n, 38n], [1n, 39n], [0n, 39n], [2n, 37n]))
  t.notOk(isOrdered([5n, 5n], [5n, 5n], [5n, 5n], [5n, 5n]), 'one value is no order')
})

t.test('too few row groups, bounds that are not known, and what is no integer', async t => {
  t.notOk(isOrdered(...apart.slice(0, 3)))
  t.notOk(isOrdered(...apart, [null, null]))
  t.notOk(isOrdered([0.5, 1.5], [2.5, 3.5], [4.5, 5.5], [6.5, 7.5]))
  t.notOk(isOrdered(['a', 'b'], ['c', 'd'], ['e', 'f'], ['g', 'h']))
})

/** One column; bounds of the row groups of each file. */
function isDivided(...files: Bounds[][]): boolean {
  const index = new FileIndex(files.map(groups => ({
    rowCount: groups.length * ROWS,
    rowGroups: groups.map(bounds => {
      const [min, max] = bounds === 'nulls' ? [null, null] : bounds
      const chunk = { offset: 0, sizeBytes: 1, min, max, nullCount: bounds === 'nulls' ? ROWS : 0 }
      return { rowCount: ROWS, columns: [chunk] }
    }),
  })))
  return dividedColumns(index)[0] === true
}

t.test('files divide where no large part of them shares values', async t => {
  t.ok(isDivided([[0n, 9n]], [[20n, 29n]], [[10n, 19n]], [[30n, 39n]]))
  t.ok(isDivided([[0n, 5n], [5n, 9n]], [[20n, 25n], [25n, 29n]], [[10n, 19n]], [[30n, 39n]]), 'within a file they may')
  t.notOk(isDivided([[0n, 10n]], [[20n, 29n]], [[10n, 20n]], [[30n, 39n]]), 'three of four are one part')
  t.notOk(isDivided([[0n, 9n]], [[10n, 19n]]), 'two are too few')
  t.notOk(isDivided([[0n, 9n]], [[20n, 29n]], [[10n, 19n]], ['nulls']), 'NULL may be anywhere')
  t.notOk(isDivided([[0n, 9n]], [[20n, 29n]], [[10n, 19n]], [[null, null]]))
  t.notOk(isDivided([['a', 'b']], [['c', 'd']], [['e', 'f']], [['g', 'h']]))
})

t.test('a few files divide between their row groups', async t => {
  t.ok(isDivided([[0n, 9n], [10n, 19n], [20n, 29n], [30n, 39n]]))
  t.notOk(isDivided([[0n, 10n], [10n, 20n], [20n, 30n], [30n, 40n]]))
})

t.test('too many files are not divided: a task could not be told its ranges', async t => {
  const files = (count: number): Bounds[][] => Array.from({ length: count }, (_, i) => [[BigInt(i), BigInt(i)]])
  t.ok(isDivided(...files(128)))
  t.notOk(isDivided(...files(129)))
})
