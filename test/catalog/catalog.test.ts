/** Names, versions, freshness and failures of tables. */

import { copyFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Table } from '../../catalog/table.ts'
import { QueryError } from '../../proto/errors.ts'
import { catalogConfig, openLake } from './lake.ts'

const here = { catalog: 'c', schema: 'main' }

t.test('names with one to three parts mean tables as DuckDB looks them up', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('a.parquet', 'SELECT 1 x')
  const catalog = lake.catalog({ A: 'a.parquet', b: 'a.parquet' })
  const found = async (...names: string[][]) =>
    (await catalog.resolve(names, here)).map(table => table.name.table)
  t.strictSame(await found(['a']), ['A'])
  t.strictSame(await found(['MAIN', 'a'], ['C', 'b'], ['c', 'Main', 'A']), ['A', 'b'], 'each once')
  t.strictSame(await found(['nope'], ['other', 'a'], ['c', 'x', 'a'], [], ['lake/a.parquet']), [])
  t.strictSame(await catalog.resolve([['a']], { catalog: 'other', schema: 'main' }), [])
  t.strictSame([...catalog.list()].map(([name, schemas]) => [name, [...schemas]]), [['c', [['main', ['A', 'b']]]]])
})

t.test('a table has the columns, rows and row groups of its files', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  const numbers = 'SELECT i::INTEGER v, i::VARCHAR w FROM range(5000) t(i)'
  await lake.write('p/d=2024-01-02/b.parquet', numbers, ', ROW_GROUP_SIZE 2048')
  await lake.write('p/d=2024-01-01/a.parquet', 'SELECT 7::INTEGER v, NULL::VARCHAR w')
  const table = await lake.table('p/*/*.parquet')
  t.strictSame(table.columns, [
    { name: 'v', type: 'INTEGER' }, { name: 'w', type: 'VARCHAR' }, { name: 'd', type: 'DATE' },
  ])
  t.strictSame([table.rowCount, table.hiveKeys], [5001, ['d']])
  t.strictSame(table.files.map(({ file, hiveValues }) => [file.key, ...hiveValues]),
    [['p/d=2024-01-01/a.parquet', '2024-01-01'], ['p/d=2024-01-02/b.parquet', '2024-01-02']])
  t.strictSame(table.files[1]?.rowGroups.map(group => [group.rowCount, group.columns[0]?.min, group.columns[0]?.max]),
    [[2048, 0n, 2047n], [2048, 2048n, 4095n], [904, 4096n, 4999n]])
  t.strictSame(table.files[0]?.rowGroups[0]?.columns[1]?.nullCount, 1)
  t.equal(table.sizeBytes, table.files.reduce((sum, { file }) => sum + statSync(lake.path(file.key)).size, 0))
})

t.test('a Hive key that is also a column takes its place, as in DuckDB', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('p/v=7/a.parquet', `SELECT 1 a, 'x' v, 3 b`)
  const table = await lake.table('p/*/*.parquet')
  t.strictSame(table.columns.map(({ name, type }) => `${name} ${type}`), ['a INTEGER', 'v BIGINT', 'b INTEGER'])
  t.strictSame(table.files[0]?.rowGroups[0]?.columns.map(column => column.min), [1n, null, 3n])
  t.strictSame(await lake.rows(`SELECT max(v) FROM '${table.skeletonPath}'`), [[7n]])
})

t.test('a table is looked at again after its time to live, and only then', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('p/1.parquet', 'SELECT 1 v')
  const catalog = lake.catalog({ t: 'p/*.parquet' })
  const rows = async () => (await catalog.resolve([['t']], here))[0]?.rowCount
  const [first] = await catalog.resolve([['t']], here)
  await lake.write('p/2.parquet', 'SELECT 2 v')
  t.equal(await rows(), 1)
  lake.nowMs += 999
  t.equal(await rows(), 1)
  lake.nowMs += 1
  t.equal(await rows(), 2)
  t.equal(first?.rowCount, 1, 'what a query got stays as it was')
  const [second] = await catalog.resolve([['t']], here)
  lake.nowMs += 5000
  t.equal((await catalog.resolve([['t']], here))[0], second, 'the same value if nothing changed')
  t.not(first?.skeletonPath, second?.skeletonPath)
  t.ok(statSync(first?.skeletonPath ?? ''), 'queries that are being planned still have the old skeleton')
  rmSync(lake.path('p/1.parquet'))
  catalog.invalidate([{ catalog: 'C', schema: 'main', table: 'T' }])
  t.equal(await rows(), 1, 'at once after invalidate')
})

t.test('a file that is written anew is another version', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('1.parquet', 'SELECT 1 v')
  const before = await lake.table('1.parquet')
  utimesSync(lake.path('1.parquet'), 1, 1)
  t.not((await lake.table('1.parquet')).version, before.version)
})

t.test('immutable tables are listed once', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('p/1.parquet', 'SELECT 1 v')
  const catalog = lake.catalog({ t: 'p/*.parquet' }, { assumeImmutable: true })
  await catalog.resolve([['t']], here)
  await lake.write('p/2.parquet', 'SELECT 2 v')
  lake.nowMs += 1e9
  t.equal((await catalog.resolve([['t']], here))[0]?.rowCount, 1)
})

t.test('a refresh looks again at once, at immutable tables too, and tells what it found', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('p/1.parquet', 'SELECT 1 v')
  const catalog = lake.catalog({ t: 'p/*.parquet', u: 'none/*' }, { assumeImmutable: true })
  const files = { format: 'parquet', paths: ['s3://lake/p/*.parquet'], options: [], start: 0 } as const
  const rows = async () => [
    (await catalog.resolve([['t']], here))[0]?.rowCount,
    (await catalog.resolveFiles([{ table: 'f0', files }], here))[0]?.rowCount,
  ]
  t.strictSame(await rows(), [1, 1])
  await lake.write('p/2.parquet', 'SELECT 2 v')
  t.strictSame(await rows(), [1, 1])
  const told = async (...name: string[]) => (await catalog.refresh(name, here)).map(one =>
    one.state === 'loaded' ? `${one.name.table} ${one.table.rowCount}` : `${one.name.table} ${one.error.code}`)
  t.strictSame(await told('T'), ['t 2'])
  t.strictSame(await rows(), [2, 1])
  t.strictSame(await told(), ['t 2', 'u FILE_NOT_FOUND'])
  t.strictSame(await rows(), [2, 2], 'files named by address too')
  t.strictSame(await told('C'), ['t 2', 'u FILE_NOT_FOUND'], 'a catalog')
  t.strictSame([await told('c', 'main', 't'), await told('nope'), await told('c', 'nope')], [['t 2'], [], []])
})

t.test('a reload keeps what is known of tables that stay as they are, and of no other', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('a.parquet', 'SELECT 1 v')
  await lake.write('b.parquet', 'SELECT 2 v')
  const immutable = { assumeImmutable: true }
  const catalog = lake.catalog({ a: 'a.parquet', b: 'b.parquet' }, immutable)
  const buckets = { lake: { provider: 'local', path: lake.folder } } as const
  const found = (): Promise<readonly Table[]> => catalog.resolve([['a'], ['b'], ['new']], here)
  const [first] = await found()
  catalog.reload({ buckets, catalogs: { c: catalogConfig({ a: 'a.parquet', new: 'b.parquet' }, immutable) } })
  const after = await found()
  t.strictSame(after.map(({ name }) => name.table), ['a', 'new'])
  t.equal(after[0], first)
  catalog.reload({
    buckets: { lake: { provider: 'local', path: `${lake.folder}/` } },
    catalogs: { c: catalogConfig({ a: 'a.parquet' }, immutable) },
  })
  t.not((await found())[0], first, 'its bucket is another one')
})

t.test('a table that cannot be loaded is named, and harms no other', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('good.parquet', 'SELECT 1 v')
  writeFileSync(lake.path('bad.parquet'), 'PAR1 this is not PAR1')
  symlinkSync('/etc', lake.path('out'))
  const catalog = lake.catalog({ good: 'good.parquet', none: 'none/*.parquet', bad: 'bad.parquet', out: 'out/*' })
  const error = async (name: string) => {
    try {
      await catalog.resolve([[name]], here)
      return 'loaded'
    } catch (thrown) {
      return thrown instanceof QueryError ? `${thrown.code} ${thrown.message}` : thrown
    }
  }
  t.equal(await error('none'), `FILE_NOT_FOUND table c.main.none: no file matches 'none/*.parquet' in bucket lake`)
  t.match(await error('bad'), /^FILE_CORRUPT 'bad.parquet' in bucket lake has 21 bytes but claims a footer of \d+$/)
  t.match(await error('out'), /^PERMISSION_DENIED 'out' in bucket lake/)
  t.equal(await error('good'), 'loaded')
  const all = await catalog.tables()
  t.strictSame(all.map(one => `${one.name.table} ${one.state}`),
    ['good loaded', 'none failed', 'bad failed', 'out failed'])
  copyFileSync(lake.path('good.parquet'), lake.path('bad.parquet'))
  t.equal(await error('bad'), 'loaded', 'a failure is not kept')
})

t.test('queries that come together share one load', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('1.parquet', 'SELECT 1 v')
  const catalog = lake.catalog({ t: '*.parquet' })
  const tables = await Promise.all([1, 2, 3].map(() => catalog.resolve([['t']], here)))
  t.equal(lake.described, 1)
  t.ok(tables.every(([table]) => table === tables[0]?.[0]))
})
