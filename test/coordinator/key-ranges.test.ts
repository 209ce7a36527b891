/** What each task needs of what all tasks read, from the bounds of its own splits. */

import t from 'tap'
import type { DataFile } from '../../catalog/table.ts'
import { filesInRanges, restrictedIn, restrictTasks } from '../../coordinator/key-ranges.ts'
import type { PrunedFile } from '../../coordinator/query-ports.ts'

type Bounds = readonly [low: number, high: number] | 'nulls' | 'unknown'

const ROWS = 100

/** Column 0 of each row group of ROWS rows. */
function file(key: string, ...groups: Bounds[]): PrunedFile {
  const chunk = (bounds: Bounds) => ({
    offset: 0, sizeBytes: 1, nullCount: bounds === 'nulls' ? ROWS : 0,
    min: typeof bounds === 'string' ? null : BigInt(bounds[0]),
    max: typeof bounds === 'string' ? null : BigInt(bounds[1]),
  })
  const made: DataFile = {
    file: { bucket: 'lake', key, etag: '1', sizeBytes: groups.length }, shape: 0, hiveValues: [],
    rowCount: groups.length * ROWS, rowGroups: groups.map(bounds => ({ rowCount: ROWS, columns: [chunk(bounds)] })),
  }
  return { file: made, rowGroups: groups.map((_, i) => i) }
}

/** Ranges for a task that reads these rows of the files; null: it is told nothing. */
function ranges(files: readonly PrunedFile[], own: readonly (readonly [file: number, from: number, to: number])[]) {
  const restrict = restrictTasks([{ relation: 'ex0', column: 3, by: { scan: 7, column: 0 } }], new Map([[7, files]]))
  const splits = own.map(([i, fromRow, toRow]) => {
    const found = files[i]?.file
    if (found === undefined) throw new Error(`no file ${i}`)
    return { scan: 7, split: { file: found.file, shape: 0, fromRow, toRow, sizeBytes: 1, rowCount: 1 } }
  })
  const [restriction = null] = restrict(splits)
  if (restriction === null) return null
  t.match(restriction, { relation: 'ex0', column: 3 })
  return restriction.ranges.map(({ low, high }) => `${low}-${high}`).join(' ')
}

t.test('a task is told the bounds of its own files and row groups', async t => {
  const files = [file('a', [0, 9], [10, 19]), file('b', [20, 29], [30, 39])]
  t.equal(ranges(files, [[0, 0, 0]]), '0-19', 'neighbours are one range')
  t.equal(ranges(files, [[1, 0, 100]]), '20-29')
  t.equal(ranges(files, [[0, 100, 200], [1, 100, 200]]), '10-19 30-39')
  t.equal(ranges(files, [[0, 50, 150]]), '0-19', 'row groups are taken whole')
  t.equal(ranges(files, []), '', 'of nothing it needs nothing')
})

t.test('what covers most of the column says nothing', async t => {
  const files = [file('a', [0, 90]), file('b', [5, 99])]
  t.equal(ranges(files, [[0, 0, 0]]), null)
})

t.test('rows that are all NULL have no bounds, and need none; unknown bounds may be anything', async t => {
  const files = [file('a', [0, 9], 'nulls'), file('b', [90, 99])]
  t.equal(ranges(files, [[0, 0, 0]]), '0-9')
  t.equal(ranges([...files, file('c', 'unknown')], [[0, 0, 0]]), null)
  t.equal(ranges([...files, file('csv')], [[0, 0, 0]]), null, 'a file without row groups')
})

t.test('many ranges become few: the closest are joined, and none is lost', async t => {
  const lowOf = (i: number): number => i * 100 + (i > 9 ? 5000 : 0)
  const files = Array.from({ length: 20 }, (_, i) => file(`f${i}`, [lowOf(i), lowOf(i) + 3]))
  const own = files.flatMap((_, i) => i % 2 === 0 ? [[i, 0, 0] as const] : [])
  const told = ranges([...files, file('far', [100_000, 100_009])], own)
  t.equal(told?.split(' ').length, 4)
  const spans = told?.split(' ').map(text => text.split('-').map(Number)) ?? []
  for (const [i] of own) {
    t.ok(spans.some(([from = NaN, to = NaN]) => from <= lowOf(i) && lowOf(i) + 3 <= to), `${lowOf(i)}`)
  }
})

t.test('files that hold no key of the ranges are not read', async t => {
  const files = [
    file('a', [0, 9]), file('b', [10, 19], [40, 49]), file('c', 'unknown'), file('d', [60, 69]), file('e'),
  ]
  const kept = filesInRanges(files, { column: 0, fileRanges: [{ low: 19n, high: 20n }, { low: 69n, high: 70n }] })
  t.strictSame(kept.map(({ file: { file: { key } } }) => key), ['b', 'c', 'd', 'e'])
  t.strictSame(filesInRanges(files, { column: 0, fileRanges: [] }).map(one => one.file.file.key), ['c', 'e'])
})

t.test('gaps that are small beside what the ranges span are no reason for another comparison', async t => {
  const files = [file('a', [0, 999], [1010, 1999]), file('b', [2000, 9999])]
  t.equal(ranges(files, [[0, 0, 0]]), '0-1999')
  t.equal(ranges([file('a', [0, 999], [1900, 1999]), file('b', [2000, 9999])], [[0, 0, 0]]), '0-999 1900-1999')
})

t.test('files of which nearly all rows are in the ranges are read without a comparison', async t => {
  const share = (files: readonly PrunedFile[], ...spans: (readonly [number, number])[]): number | null => {
    const ranges = spans.map(([low, high]) => ({ low: BigInt(low), high: BigInt(high) }))
    return restrictedIn(files, { relation: 'ex0', column: 0, ranges, fileRanges: ranges, share: 0.6 })?.share ?? null
  }
  t.equal(share([file('a', [0, 99], [100, 199])], [0, 199]), null)
  t.equal(share([file('a', [0, 99], [100, 199])], [0, 180]), null)
  t.equal(share([file('a', [0, 99], [100, 199])], [0, 119]), 0.6)
  t.equal(share([file('a', [0, 99], [100, 199])], [0, 19], [150, 159]), 0.15)
  t.equal(share([file('a', 'unknown')], [0, 9]), 0.6, 'bounds that are not known may be anything')
})
