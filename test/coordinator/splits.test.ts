/** Files to splits. */

import t from 'tap'
import type { DataFile } from '../../catalog/table.ts'
import type { PrunedFile } from '../../coordinator/query-ports.ts'
import { splits } from '../../coordinator/splits.ts'

/** Row groups of 100 rows; column 0 has 10 bytes a row, column 1 one. */
function file(key: string, groupCount: number, left = Array.from({ length: groupCount }, (_, i) => i)): PrunedFile {
  const chunk = (sizeBytes: number) => ({ offset: 0, sizeBytes, min: null, max: null, nullCount: null })
  const made: DataFile = {
    file: { bucket: 'lake', key, etag: '1', sizeBytes: groupCount * 1200 }, shape: 0, hiveValues: [],
    rowCount: groupCount * 100,
    rowGroups: Array.from({ length: groupCount }, () => ({ rowCount: 100, columns: [chunk(1000), chunk(100)] })),
  }
  return { file: made, rowGroups: left }
}

const text = (files: readonly PrunedFile[], targetTasks: number): string[] =>
  splits(files, [0], targetTasks).map(({ file, fromRow, toRow }) => `${file.key} ${fromRow}-${toRow}`)

t.test('enough files are not cut', async t => {
  t.strictSame(text([file('a', 4), file('b', 2)], 2), ['a 0-0', 'b 0-0'])
})

t.test('fewer files than tasks are cut at row groups, into about equal ranges', async t => {
  t.strictSame(text([file('a', 5)], 2), ['a 0-300', 'a 300-500'])
  t.strictSame(text([file('a', 2)], 8), ['a 0-100', 'a 100-200'], 'no smaller than a row group')
  t.strictSame(text([file('a', 1)], 8), ['a 0-0'])
})

t.test('a file whose rows cannot be told by their place is read as a whole', async t => {
  const uncut = ({ file, rowGroups }: PrunedFile): PrunedFile => ({ file: { ...file, isUncut: true }, rowGroups })
  t.strictSame(text([uncut(file('a', 5)), uncut(file('b', 9, [2, 3]))], 8), ['a 0-0', 'b 0-0'])
})

t.test('a file much larger than the mean is cut', async t => {
  const many = [...'abcdefgh'].map(key => file(key, 1))
  const cut = text([...many, file('z', 24)], 4)
  t.strictSame(cut.slice(0, 8), [...'abcdefgh'].map(key => `${key} 0-0`))
  t.strictSame(cut.slice(8), ['z 0-800', 'z 800-1600', 'z 1600-2400'])
})

t.test('ranges cover what pruning left, each row once', async t => {
  t.strictSame(text([file('a', 10, [2, 3, 6, 7])], 1), ['a 200-800'])
  t.strictSame(text([file('a', 10, [2, 3, 6, 7])], 2), ['a 200-400', 'a 400-800'])
})

t.test('rows are those of the row groups that are left', async t => {
  const rows = (files: readonly PrunedFile[], targetTasks: number): number[] =>
    splits(files, [0], targetTasks).map(({ rowCount }) => rowCount)
  t.strictSame(rows([file('a', 10, [2, 3, 6, 7])], 1), [400])
  t.strictSame(rows([file('a', 10, [2, 3, 6, 7])], 2), [200, 200])
  t.strictSame(rows([file('a', 5), file('b', 2)], 2), [500, 200])
})

t.test('bytes are those of the touched columns', async t => {
  t.equal(splits([file('a', 2)], [1], 1)[0]?.sizeBytes, 202)
  t.equal(splits([{ ...file('a', 2), rowGroups: [] }], [1], 1)[0]?.sizeBytes, 2400, 'without row groups: the file')
})
