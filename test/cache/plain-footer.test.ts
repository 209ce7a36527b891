/** Footers without their Bloom filters; DuckDB reads them beside the originals. */

import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { withoutFilters } from '../../cache/plain-footer.ts'
import { openLake } from '../catalog/lake.ts'
import { mulberry32 } from '../random.ts'

const key = (sizeBytes: number) => ({ bucket: 'lake', key: 'a', etag: 'e', sizeBytes })

t.test('nothing is gone but the filters', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('a', `SELECT i AS a, 'v' || (i % 97) AS b, {'x': i, 'y': [i, i + 1]} AS s, i % 50 * 0.5 AS d,
      MAP {'k': i % 3} AS m, i % 7 = 0 AS f, CASE WHEN i % 3 = 0 THEN (i % 11)::SMALLINT END AS n
    FROM range(30000) t(i)`, `, ROW_GROUP_SIZE 10000, KV_METADATA {k: 'v'}, FIELD_IDS {a: 300}`)
  const bytes = readFileSync(lake.path('a'))
  const length = bytes.readUInt32LE(bytes.length - 8)
  const from = bytes.length - 8 - length
  const plain = withoutFilters(bytes.subarray(from, from + length), key(bytes.length))
  t.ok(plain.length < length)
  const end = Buffer.alloc(4)
  end.writeUInt32LE(plain.length)
  // of the same length, as mirrors are
  const gap = Buffer.alloc(length - plain.length)
  writeFileSync(lake.path('b'), Buffer.concat([bytes.subarray(0, from), gap, plain, end, Buffer.from('PAR1')]))
  const both = async (sql: string) => Promise.all(['a', 'b'].map(name => lake.rows(sql.replace('$', lake.path(name)))))
  const without = 'bloom_filter_offset, bloom_filter_length, file_name'
  for (const sql of [
    `SELECT * EXCLUDE (${without}) FROM parquet_metadata('$')`,
    `SELECT * EXCLUDE (file_name) FROM parquet_schema('$')`,
    `SELECT key, value FROM parquet_kv_metadata('$')`,
    `SELECT num_rows, num_row_groups, created_by FROM parquet_file_metadata('$')`,
    `SELECT sum(hash(t)) FROM read_parquet('$') t`, `SELECT count(*) FROM read_parquet('$') WHERE b = 'v13'`,
  ]) {
    const [original, copy] = await both(sql)
    t.strictSame(copy, original, sql)
  }
  const counted = `SELECT count(bloom_filter_offset)::INTEGER, count(bloom_filter_length)::INTEGER
    FROM parquet_metadata('$')`
  const [before, after] = await both(counted)
  t.ok(Number(before?.[0]?.[0]) > 0)
  t.strictSame(after, [[0, 0]])
  t.ok(withoutFilters(plain, key(bytes.length)).equals(plain), 'what has none stays as it is')
})

t.test('a footer that is not sound is a typed error, or one that DuckDB meets, and never a hang', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('a', `SELECT i AS a, 'v' || (i % 97) AS b FROM range(3000) t(i)`)
  const bytes = readFileSync(lake.path('a'))
  const metadata = bytes.subarray(bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8), -8)
  const random = mulberry32(4)
  let refused = 0
  for (let run = 0; run < 2000; run++) {
    const broken = Buffer.from(metadata.subarray(0, Math.ceil(random() * metadata.length)))
    for (let i = 0; i < 3; i++) broken[Math.floor(random() * broken.length)] = Math.floor(random() * 256)
    try {
      withoutFilters(broken, key(bytes.length))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'FILE_CORRUPT')) throw error
      refused++
    }
  }
  t.ok(refused > 1000, `${refused} refused`)
})
