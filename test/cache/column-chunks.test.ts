/** Where the bytes of a file are; DuckDB's parquet_metadata is the judge. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import { blockLayout, chunkBytes, parquetLayout, wantedChunks } from '../../cache/column-chunks.ts'
import { openLake } from '../catalog/lake.ts'

t.test('chunks are the ranges of all leaves of a column', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('a', `SELECT i AS a, 'v' || (i % 97) AS "B", {'x': i, 'y': [i, i + 1]} AS s, i * 0.5 AS d
    FROM range(30000) t(i)`, ', ROW_GROUP_SIZE 10000')
  const bytes = readFileSync(lake.path('a'))
  const metadata = bytes.subarray(bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8), -8)
  const layout = parquetLayout(metadata, { bucket: 'lake', key: 'a', etag: 'e', sizeBytes: bytes.length })
  t.strictSame([layout.columns, layout.rowCounts], [['a', 'b', 's', 'd'], [10_240, 10_240, 9520]])
  t.equal(layout.footerFrom, bytes.length - 8 - metadata.length)
  const judge = await lake.rows(`SELECT sum(total_compressed_size)::INTEGER
    FROM parquet_metadata('${lake.path('a')}')
    GROUP BY row_group_id, split_part(path_in_schema, ',', 1) ORDER BY row_group_id, min(column_id)`)
  t.strictSame(layout.chunks.map(chunkBytes), judge.map(([size]) => size))
  const all = layout.chunks.flat().sort((a, b) => a.from - b.from)
  t.ok(all.every(({ from }, i) => from >= (all[i - 1]?.to ?? 4)), 'none overlap')
})

t.test('only the wanted columns of the row groups that hold wanted rows', async t => {
  const layout = { footerFrom: 0, columns: ['a', 'b', 'a'], rowCounts: [10, 20, 30], chunks: [] }
  t.strictSame(wantedChunks(layout, ['A', 'none'], null), [0, 2, 3, 5, 6, 8])
  t.strictSame(wantedChunks(layout, ['b'], { from: 10, to: 30 }), [4])
  t.strictSame(wantedChunks(layout, ['b'], { from: 9, to: 31 }), [1, 4, 7])
  t.strictSame(wantedChunks(layout, [], null), [])
  t.strictSame(wantedChunks(layout, null, { from: 59, to: 60 }), [6, 7, 8])
})

t.test('any other file is blocks', async t => {
  const layout = blockLayout({ sizeBytes: (8 << 20) + 1 })
  t.strictSame(layout.chunks, [[{ from: 0, to: 8 << 20 }], [{ from: 8 << 20, to: (8 << 20) + 1 }]])
  t.strictSame(wantedChunks(layout, null, null), [0, 1])
  t.strictSame(blockLayout({ sizeBytes: 0 }).chunks, [])
})
