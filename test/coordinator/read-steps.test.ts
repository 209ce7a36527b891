/** In which steps a task reads its splits where it may soon have rows enough. */

import t from 'tap'
import type { DataFile } from '../../catalog/table.ts'
import type { ScanSplit } from '../../coordinator/place.ts'
import type { PrunedFile } from '../../coordinator/query-ports.ts'
import { inSteps } from '../../coordinator/read-steps.ts'
import type { Streamed } from '../../planner/enough-rows.ts'
import type { FragmentScan } from '../../planner/fragment.ts'

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

function whole({ file: { file, rowGroups, rowCount } }: PrunedFile, sizeBytes = 0, scan = 0): ScanSplit {
  const bytes = rowGroups.reduce((sum, { columns: [column] }) => sum + (column?.sizeBytes ?? 0), sizeBytes)
  return { scan, split: { file, shape: 0, fromRow: 0, toRow: 0, sizeBytes: bytes, rowCount } }
}

const stream = (scan: number): Streamed<number> => ({ kind: 'scan', scan })
const scanOf = (id: number): FragmentScan => ({ id, table: id, columns: [0], filters: [], reads: 'split' })

const stepsOf = (items: readonly ScanSplit[], files: readonly PrunedFile[]): unknown[] =>
  inSteps({ streamed: stream(0), scans: [scanOf(0)], files: new Map([[0, files]]), exchangeBytes: 0 })(items)
    .map(({ split: { file: { key }, fromRow, toRow, step = 0 } }) => [key, fromRow, toRow, step])

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

/** Of three scans of files of one row group for each MiB: the step that each MiB belongs to. */
function stepsOfScans(
  mebibytes: readonly number[], streamed: Streamed<number>,
  { exchangeBytes = 0, firstRows = null }: { exchangeBytes?: number; firstRows?: number | null } = {},
): Record<number, number[]> {
  const files = mebibytes.map((count, scan) => [file(`f${scan}`, Array.from({ length: count }, () => MIB))])
  const scans = mebibytes.map((_, id) => ({ ...scanOf(id), ...(id === firstRows ? { firstRows: 10 } : {}) }))
  const items = files.flatMap((list, scan) => list.map(one => whole(one, 0, scan)))
  const stepped = inSteps({ streamed, scans, files: new Map(files.entries()), exchangeBytes })(items)
  return Object.fromEntries(scans.map(({ id }) => [id, stepped.filter(({ scan }) => scan === id)
    .flatMap(({ split }) => Array.from({ length: split.sizeBytes / MIB }, () => split.step ?? 0))]))
}

const times = (count: number, step: number): number[] => Array.from({ length: count }, () => step)
const either: Streamed<number> = { kind: 'either', of: [stream(0), stream(1)] }
const every: Streamed<number> = { kind: 'every', of: [stream(0), stream(1)] }

t.test('of the sides of a join the larger is read in steps, and the rest at once', async t => {
  t.strictSame(stepsOfScans([1, 10, 1], either), { 0: [0], 1: [...times(4, 0), ...times(6, 1)], 2: [0] })
  t.strictSame(stepsOfScans([10, 1, 1], either), { 0: [...times(4, 0), ...times(6, 1)], 1: [0], 2: [0] })
  t.strictSame(stepsOfScans([1, 10, 1], stream(0)), { 0: [0], 1: times(10, 0), 2: [0] }, 'nor may the other one be')
})

t.test('the first step is twice what is read beside it, also of other stages', async t => {
  t.strictSame(stepsOfScans([12, 3, 1], either), { 0: [...times(8, 0), ...times(4, 1)], 1: times(3, 0), 2: [0] })
  t.strictSame(stepsOfScans([12, 5, 1], either), { 0: times(12, 0), 1: times(5, 0), 2: [0] }, 'half of it: at once')
  const exchangeBytes = 3 * MIB
  t.strictSame(stepsOfScans([12, 0, 1], stream(0), { exchangeBytes }),
    { 0: [...times(8, 0), ...times(4, 1)], 1: [], 2: [0] })
})

t.test('parts of UNION ALL are read in steps beside each other', async t => {
  t.strictSame(stepsOfScans([4, 3, 0], every), { 0: [0, 0, 1, 1], 1: [0, 0, 1], 2: [] })
  const nested: Streamed<number> = { kind: 'every', of: [either, stream(2)] }
  t.strictSame(stepsOfScans([1, 12, 4], nested), { 0: [0], 1: [0, 0, ...times(8, 1), 2, 2], 2: [0, 0, 1, 1] })
})

t.test('what has as many rows as are enough is read at once', async t => {
  t.strictSame(stepsOfScans([9, 1, 0], either, { firstRows: 0 }), { 0: times(9, 0), 1: [0], 2: [] })
  t.strictSame(stepsOfScans([9, 19, 0], every, { firstRows: 0 }), { 0: times(9, 0), 1: [...times(18, 0), 1], 2: [] })
  const texts = Array.from({ length: 3 }, (_, i) => file(`t${i}`, []))
  const scans = [{ ...scanOf(0), firstRows: 10 }]
  const stage = { streamed: stream(0), scans, files: new Map([[0, texts]]), exchangeBytes: 0 }
  t.strictSame(inSteps(stage)(texts.map(text => whole(text, 3 * MIB))).map(({ split }) => split.step), [0, 0, 1],
    'but of text files it is not known how many they have')
})
