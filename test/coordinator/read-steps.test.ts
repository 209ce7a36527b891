/** In which steps a task reads its splits where it may soon have rows enough. */

import t from 'tap'
import type { DataFile } from '../../catalog/table.ts'
import type { ScanSplit } from '../../coordinator/place.ts'
import type { PrunedFile } from '../../coordinator/query-ports.ts'
import { inSteps } from '../../coordinator/read-steps.ts'

const MIB = 1024 * 1024

/** Of row groups of ten rows, each with one column of the given bytes. */
function file(key: string, groupBytes: readonly number[], isUncut = false): PrunedFile {
  const rowGroups = groupBytes.map(sizeBytes =>
    ({ rowCount: 10, columns: [{ offset: 0, sizeBytes, min: null, max: null, nullCount: 0 }] }))
  const data: DataFile = {
    file: { bucket: 'b', key, etag: '1', sizeBytes: 1 }, shape: 0, hiveValues: [], rowCount: rowGroups.length * 10,
    rowGroups, ...(isUncut ? { isUncut } : {}),
  }
  return { file: data, rowGroups: [...rowGroups.keys()] }
}

function whole({ file: { file, rowGroups } }: PrunedFile, sizeBytes = 0): ScanSplit {
  const bytes = rowGroups.reduce((sum, { columns: [column] }) => sum + (column?.sizeBytes ?? 0), sizeBytes)
  return { scan: 0, split: { file, shape: 0, fromRow: 0, toRow: 0, sizeBytes: bytes } }
}

const stepsOf = (items: readonly ScanSplit[], files: readonly PrunedFile[]): unknown[] =>
  inSteps(items, files, [0]).map(({ split: { file: { key }, fromRow, toRow, step } }) => [key, fromRow, toRow, step])

t.test('a small task is one step, of its own splits', async t => {
  const files = [file('a', [MIB]), file('b', [MIB, MIB])]
  t.strictSame(stepsOf(files.map(one => whole(one)), files), [['a', 0, 0, 0], ['b', 0, 0, 0]])
})

t.test('a file is cut at the row groups where steps end, each four times the one before', async t => {
  const large = file('a', Array.from({ length: 30 }, () => MIB))
  t.strictSame(stepsOf([whole(large)], [large]), [['a', 0, 40, 0], ['a', 40, 200, 1], ['a', 200, 300, 2]])
})

t.test('steps go on from file to file, and a range keeps to its rows', async t => {
  const [first, second] = [file('a', [MIB, MIB, MIB]), file('b', Array.from({ length: 8 }, () => MIB))]
  const { scan, split } = whole(second)
  const range = { scan, split: { ...split, fromRow: 20, toRow: 60 } }
  t.strictSame(stepsOf([whole(first), range], [first, second]), [['a', 0, 0, 0], ['b', 20, 30, 0], ['b', 30, 60, 1]])
})

t.test('what pruning has left out weighs nothing, what cannot be cut is whole', async t => {
  const pruned = { ...file('a', Array.from({ length: 8 }, () => MIB)), rowGroups: [0, 7] }
  t.strictSame(stepsOf([whole(pruned)], [pruned]), [['a', 0, 0, 0]])
  const uncut = file('c', [9 * MIB, 9 * MIB], true)
  const text = file('d', [])
  t.strictSame(stepsOf([whole(uncut), whole(text, MIB), whole(text, MIB)], [uncut, text]),
    [['c', 0, 0, 0], ['d', 0, 0, 1], ['d', 0, 0, 1]])
})
