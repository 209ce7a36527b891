/** Where the ranges of a sort begin, and which rows of each are within a limit. */

import t from 'tap'
import { rangeBounds, rangeSlices, type SampledKey } from '../../coordinator/ranges.ts'

const keyed = (keys: readonly (readonly [number, number])[]): readonly SampledKey[] =>
  keys.map(([key, rows]) => ({ key: Uint8Array.of(key), rows: BigInt(rows) }))
const bounds = (samples: readonly (readonly SampledKey[])[], count: number): number[] =>
  rangeBounds(samples, count).map(bound => bound[0] ?? -1)

t.test('ranges have about as many rows each, whichever task has seen them', async t => {
  const even = keyed(Array.from({ length: 100 }, (_, i) => [i, 1]))
  t.strictSame(bounds([even], 4), [24, 49, 74])
  t.strictSame(bounds([even.filter((_, i) => i % 2 === 0), even.filter((_, i) => i % 2 === 1)], 4), [24, 49, 74])
  t.strictSame(bounds([keyed([[1, 10], [2, 10], [3, 80]])], 2), [3], 'a key stands for as many rows as it says')
  t.strictSame(bounds([even], 1), [])
})

t.test('a key that many rows have is several bounds', async t => {
  t.strictSame(bounds([keyed([[1, 10], [7, 80], [9, 10]])], 5), [7, 7, 7, 7])
  t.strictSame(bounds([keyed([[7, 1]])], 4), [7, 7, 7])
})

t.test('without a key there is one range', async t => {
  t.strictSame(bounds([], 4), [])
  t.strictSame(bounds([[], []], 4), [])
})

t.test('keys are compared as bytes, a shorter one before what it begins', async t => {
  const keys = [[255], [0, 1], [0], [128, 0], []].map(bytes => ({ key: Uint8Array.from(bytes), rows: 1n }))
  t.strictSame(rangeBounds([keys], 6).map(bound => [...bound]), [[], [0], [0, 1], [128, 0], [255]])
})

t.test('a limit has its rows from the ranges that they lie in', async t => {
  const slices = (offset: number, limit: number | null) =>
    rangeSlices([4, 0, 3, 5], { offset, limit }).map(slice => [slice.offset, slice.limit])
  t.strictSame(slices(0, null), [[0, 4], [0, 0], [0, 3], [0, 5]])
  t.strictSame(slices(5, null), [[4, 0], [0, 0], [1, 2], [0, 5]])
  t.strictSame(slices(2, 4), [[2, 2], [0, 0], [0, 2], [0, 0]])
  t.strictSame(slices(0, 0), [[0, 0], [0, 0], [0, 0], [0, 0]])
  t.strictSame(slices(12, 9), [[4, 0], [0, 0], [3, 0], [5, 0]])
})
