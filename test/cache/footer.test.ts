/** Parquet footers, sound and damaged; DuckDB's parquet_metadata is the judge. */

import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { parseFooter, readFooter } from '../../cache/footer.ts'
import { type Lake, openLake } from '../catalog/lake.ts'

const footerOf = async (lake: Lake, key: string) =>
  readFooter(lake.store, { bucket: 'lake', ...await lake.store.head(key) })

t.test('offsets, sizes, rows and statistics are those that DuckDB sees', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('a.parquet', `SELECT i AS a, 'v' || (i % 7) AS b, nullif(i % 5, 0) AS c, i * 0.5::DOUBLE AS d,
    {'x': i, 'y': [i]} AS e, i % 2 = 0 AS f FROM range(30000) t(i)`, ', ROW_GROUP_SIZE 10000')
  const footer = await footerOf(lake, 'a.parquet')
  t.equal(footer.rowCount, 30000)
  const judge = await lake.rows(`SELECT row_group_id::INTEGER, split_part(path_in_schema, ',', 1),
      min(row_group_num_rows)::INTEGER, min(CASE WHEN dictionary_page_offset > 0
        THEN least(dictionary_page_offset, data_page_offset) ELSE data_page_offset END)::INTEGER,
      sum(total_compressed_size)::INTEGER, min(stats_min_value), min(stats_max_value), min(stats_null_count)::INTEGER
    FROM parquet_metadata('${lake.path('a.parquet')}') GROUP BY 1, 2 ORDER BY 1, 4`)
  const text = (value: unknown) => {
    if (typeof value === 'number' && Number.isInteger(value)) return `${value}.0`
    return value === null || value === undefined ? null : String(value)
  }
  const own = footer.rowGroups.flatMap((group, i) => footer.schema.columns.map(({ name }, column) => {
    const { offset, sizeBytes, min, max, nullCount } = group.columns[column] ?? {}
    return [i, name, group.rowCount, offset, sizeBytes, text(min), text(max), nullCount]
  }))
  const nested = (row: readonly unknown[]) => row[1] === 'e' ? [...row.slice(0, 5), null, null, null] : row
  t.strictSame(own, judge.map(nested))
})

t.test('a footer longer than the first read is read whole', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  const columns = Array.from({ length: 1500 }, (_, i) => `i AS column_with_a_rather_long_name_${i}`)
  await lake.write('wide.parquet', `SELECT ${columns.join(', ')} FROM range(3) t(i)`)
  const footer = await footerOf(lake, 'wide.parquet')
  t.ok(footer.footerBytes > 65536, `${footer.footerBytes} bytes`)
  t.strictSame([footer.schema.columns.length, footer.rowGroups[0]?.columns[1499]?.max], [1500, 2n])
})

t.test('files of one writer have one schema fingerprint', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('a', 'SELECT 1 x')
  await lake.write('b', 'SELECT 2 x')
  await lake.write('c', 'SELECT 1::BIGINT x')
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(async key => (await footerOf(lake, key)).schema.fingerprint))
  t.equal(a, b)
  t.not(a, c)
})

t.test('what is not a sound Parquet file is refused with its name', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('good', 'SELECT 1 x, 2 y')
  const good = readFileSync(lake.path('good'))
  const length = good.readUInt32LE(good.length - 8)
  const withLength = (value: number) => {
    const bytes = Buffer.from(good)
    bytes.writeUInt32LE(value, bytes.length - 8)
    return bytes
  }
  const bad: Record<string, [Buffer, RegExp]> = {
    empty: [Buffer.alloc(0), /has 0 bytes, too few/],
    text: [Buffer.from('id,name\n1,x\n2,y\n'), /does not end in PAR1/],
    cut: [good.subarray(0, good.length - 20), /does not end in PAR1/],
    encrypted: [Buffer.concat([good.subarray(0, -4), Buffer.from('PARE')]), /is encrypted/],
    long: [withLength(0x7fffffff), /claims a footer of 2147483647/],
    short: [withLength(length - 5), /not a sound Parquet file/],
    none: [withLength(0), /not a sound Parquet file/],
    moved: [Buffer.concat([Buffer.from('PAR1'), good.subarray(good.length - length - 8)]), /outside the file/],
  }
  for (const [name, [bytes, message]] of Object.entries(bad)) {
    writeFileSync(lake.path(name), bytes)
    await t.rejects(footerOf(lake, name), { code: 'FILE_CORRUPT', message }, name)
    await t.rejects(footerOf(lake, name), { message: new RegExp(`^'${name}' in bucket lake `) }, name)
  }
})

t.test('no damage to a footer is more than FILE_CORRUPT', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('good', `SELECT 1 x, 'a' y, {'a': [1]} z, timestamp '2020-01-01' w`)
  const good = readFileSync(lake.path('good'))
  const metadata = good.subarray(good.length - 8 - good.readUInt32LE(good.length - 8), good.length - 8)
  const file = { bucket: 'lake', key: 'good', etag: 'e', sizeBytes: good.length }
  const others = new Set<string>()
  let refused = 0
  for (let i = 0; i < metadata.length; i++) {
    for (const flip of [0x01, 0x80, 0xff]) {
      const damaged = Buffer.from(metadata)
      damaged[i] = (damaged[i] ?? 0) ^ flip
      try {
        parseFooter(damaged, file)
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'FILE_CORRUPT') refused++
        else others.add(String(error))
      }
    }
  }
  t.strictSame([...others], [])
  t.ok(refused > metadata.length, `${refused} refused`)
})
