/** Files of one table whose columns differ; DuckDB with union_by_name is the judge. */

import t from 'tap'
import { QueryError } from '../../proto/errors.ts'
import { openLake } from './lake.ts'

t.test('columns of Parquet files are added, left out, reordered and widened by name', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('p/1.parquet', `SELECT i::INTEGER AS id, 'a' || i AS name, {'x': i} AS s FROM range(5) t(i)`)
  await lake.write('p/2.parquet', `SELECT 'b' AS NAME, 7000000000 AS id, 1.5::FLOAT AS added FROM range(3)`)
  await lake.write('p/3.parquet', `SELECT 2.5::DOUBLE AS added, 300::SMALLINT AS id, {'x': 1, 'y': 'q'} AS s`)
  const table = await lake.table('p/*.parquet')
  const described = await lake.rows(`DESCRIBE FROM read_parquet('${lake.path('p')}/*.parquet', union_by_name = true)`)
  t.strictSame(table.columns, described.map(([name, type]) => ({ name, type })))
  t.strictSame(await lake.rows(`DESCRIBE FROM '${table.skeletonPath}'`), described)
  t.strictSame(table.shapes.map(({ instead }) => instead), [{ 3: null }, { 2: null }, { 1: null }])
  t.strictSame(table.files.map(({ shape }) => shape), [0, 1, 2])
  const chunks = table.files.map(({ rowGroups }) =>
    rowGroups[0]?.columns.map(({ min, max, nullCount }) => [min, max, nullCount]))
  t.strictSame(chunks.map(columns => columns?.[0]), [[0n, 4n, 0], [7000000000n, 7000000000n, 0], [300n, 300n, 0]],
    'integers of any width compare')
  t.strictSame(chunks.map(columns => columns?.[3]), [[null, null, 5], [1.5, 1.5, 0], [2.5, 2.5, 0]], 'absent is NULL')
  const told = await lake.rows(`SELECT min(id), max(id), count(*) FROM '${table.skeletonPath}'`)
  t.strictSame(told, [[0n, 7000000000n, 9n]])
})

t.test('files that differ in the order of columns or in their writer alone have no shapes', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('p/1.parquet', 'SELECT 1 AS a, 2 AS b')
  await lake.write('p/2.parquet', 'SELECT 20 AS B, 10 AS A')
  const table = await lake.table('p/*.parquet')
  t.strictSame(table.shapes, [])
  const maxima = table.files.map(({ rowGroups }) => rowGroups[0]?.columns.map(({ max }) => max))
  t.strictSame(maxima, [[1n, 2n], [10n, 20n]])
})

t.test('without union_by_name the columns are the first file\'s, and what others lack is an error by name', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('p/1.parquet', 'SELECT 1 AS a, 2 AS b, 3 AS c')
  await lake.write('p/2.parquet', `SELECT 10::BIGINT AS a, 'x' AS d, DATE '2024-01-01' AS c`)
  const table = await lake.table('p/*.parquet', { unionByName: false })
  t.strictSame(table.columns.map(({ name, type }) => `${name} ${type}`),
    ['a INTEGER', 'b INTEGER', 'c INTEGER'])
  t.strictSame(table.shapes[1]?.instead, {
    1: `'p/2.parquet' has no column 'b', which 'p/1.parquet' has`,
    2: `column 'c' of 'p/2.parquet': DATE does not become INTEGER`,
  })
  t.strictSame(table.files[1]?.rowGroups[0]?.columns.map(({ min, nullCount }) => [min, nullCount]),
    [[10n, 0], [null, null], [null, null]], 'of what is an error nothing is known')
})

t.test('types that no type holds are told by file and column', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('p/1.parquet', 'SELECT 1 AS a')
  await lake.write('p/2.parquet', `SELECT DATE '2024-01-01' AS a`)
  const table = await lake.table('p/*.parquet')
  t.strictSame(table.columns, [{ name: 'a', type: 'DATE' }], 'as DuckDB')
  t.strictSame(table.shapes[0]?.instead, { 0: `column 'a' of 'p/1.parquet': INTEGER does not become DATE` })
})

t.test('a Hive key is in no file and no shape', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('p/k=1/1.parquet', 'SELECT 1 AS a, 5 AS k')
  await lake.write('p/k=2/2.parquet', 'SELECT 2 AS a, 3 AS b')
  const table = await lake.table('p/*/*.parquet')
  t.strictSame(table.columns.map(({ name, type }) => `${name} ${type}`), ['a INTEGER', 'k BIGINT', 'b INTEGER'])
  t.strictSame(table.shapes.map(({ instead }) => instead), [{ 2: null }, {}])
})

t.test('CSV files with other headers are read by name', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  lake.writeText('c/1.csv', 'a,b\n1,x\n')
  lake.writeText('c/2.csv', 'b,a\ny,2\n')
  lake.writeText('c/3.csv', 'a,"c d"\n3.5,true\n')
  lake.writeText('c/4.csv', 'a,b\n4,z\n')
  const table = await lake.table('c/*.csv', { fileFormat: 'csv' })
  t.strictSame(table.columns.map(({ name, type }) => `${name} ${type}`), ['a DOUBLE', 'b VARCHAR', 'c d BOOLEAN'])
  t.strictSame(table.files.map(({ shape }) => shape), [0, 1, 2, 0])
  t.strictSame(table.shapes.map(({ columns, instead }) => [columns.map(({ name }) => name), instead]),
    [[['a', 'b'], { 2: null }], [['b', 'a'], { 2: null }], [['a', 'c d'], { 1: null }]])
  const first = await lake.table('c/*.csv', { fileFormat: 'csv', unionByName: false })
  t.strictSame(first.columns.map(({ name, type }) => `${name} ${type}`), ['a BIGINT', 'b VARCHAR'])
  t.strictSame(first.shapes[2]?.instead, { 1: `'c/3.csv' has no column 'b', which 'c/1.csv' has` })
})

t.test('more ways of files than a task can be told of are refused', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  for (let i = 0; i < 257; i++) lake.writeText(`c/${String(i).padStart(3, '0')}.csv`, `a,b${i}\n1,2\n`)
  const error = await lake.table('c/*.csv', { fileFormat: 'csv' }).then(() => undefined, (reason: unknown) => reason)
  t.ok(error instanceof QueryError)
  t.match(error, { code: 'INVALID_REQUEST', message: 'the files of table c.main.t differ in more than 256 ways' })
})
