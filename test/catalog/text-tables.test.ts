/** Tables of CSV and JSON files, and the types of their skeletons. */

import { writeFileSync } from 'node:fs'
import t from 'tap'
import { skeletonType } from '../../catalog/skeleton-schema.ts'
import { declaredColumn, skeletonBytes } from '../../catalog/skeleton.ts'
import { openLake } from './lake.ts'

t.test('a CSV table has the columns that DuckDB finds, and its Hive keys', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  const lines = Array.from({ length: 1000 }, (_, i) => `${i},name ${i},2024-01-01,${i / 2}`)
  lake.writeText('c/k=1/a.csv', ['id,name,day,half', ...lines, ''].join('\n'))
  lake.writeText('c/k=x/b.csv', ['id,name,day,half', ...lines.slice(0, 500), ''].join('\n'))
  const table = await lake.table('c/*/*.csv', { fileFormat: 'csv' })
  t.strictSame(table.columns.map(({ name, type }) => `${name} ${type}`),
    ['id BIGINT', 'name VARCHAR', 'day DATE', 'half DOUBLE', 'k VARCHAR'])
  t.ok(Math.abs(table.rowCount - 1500) < 150, `${table.rowCount} is near 1500`)
  const described = await lake.rows(`DESCRIBE FROM '${table.skeletonPath}'`)
  t.strictSame(described.map(([name, type]) => `${String(name)} ${String(type)}`),
    table.columns.map(({ name, type }) => `${name} ${type}`), 'its skeleton has the same')
})

t.test('an estimated row count gives cardinalities, but never the answer to count(*)', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  lake.writeText('a.csv', 'a,b\n' + '1,2\n'.repeat(300))
  const { skeletonPath, rowCount } = await lake.table('a.csv', { fileFormat: 'csv' })
  const [[plan]] = await lake.rows(
    `SELECT json_serialize_plan($$SELECT count(*) FROM '${skeletonPath}'$$, optimize := true)`) as [[string]]
  t.match(plan, 'LOGICAL_GET')
  const [[, explained]] = await lake.rows(`EXPLAIN (FORMAT json) FROM '${skeletonPath}'`) as [[string, string]]
  t.match(explained, `"Estimated Cardinality": "${rowCount}"`)
})

t.test('nested and odd types of JSON files have skeletons of the same type', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  lake.writeText('a.json', [
    { id: 1, tags: ['a', 'b'], who: { name: 'x', born: '2001-02-03', more: [{ k: 1.5 }] }, at: '2024-01-01 10:00:00' },
    { id: 2, tags: [], who: { name: 'y', born: '2001-02-03', more: [] }, at: '2024-01-01 10:00:00', any: null },
  ].map(value => JSON.stringify(value)).join('\n'))
  const table = await lake.table('a.json', { fileFormat: 'json' })
  t.strictSame(table.columns.map(column => column.type), [
    'BIGINT', 'VARCHAR[]', 'STRUCT("name" VARCHAR, born DATE, more STRUCT(k DOUBLE)[])', 'TIMESTAMP', 'JSON',
  ])
  t.strictSame((await lake.rows(`DESCRIBE FROM '${table.skeletonPath}'`)).map(([, type]) => type),
    table.columns.map(column => column.type))
})

t.test('types that Parquet has no word for become the nearest that keeps the values', async t => {
  const types = ['HUGEINT', 'HUGEINT[]', 'TIMESTAMP_S', "ENUM('a')", 'MAP(VARCHAR, INTEGER[3])', 'BIT', 'BIGINT']
  t.strictSame(types.map(skeletonType),
    ['DECIMAL(38,0)', 'DECIMAL(38,0)[]', 'TIMESTAMP', 'VARCHAR', 'MAP(VARCHAR, INTEGER[])', 'VARCHAR', 'BIGINT'])
})

t.test('every type that a skeleton declares binds as itself', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  const types = [
    'BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'FLOAT',
    'DOUBLE', 'VARCHAR', 'JSON', 'BLOB', 'UUID', 'DATE', 'TIME', 'TIME WITH TIME ZONE', 'TIMESTAMP', 'TIMESTAMP_NS',
    'TIMESTAMP WITH TIME ZONE', 'INTERVAL', 'DECIMAL(4,1)', 'DECIMAL(9,2)', 'DECIMAL(18,3)', 'DECIMAL(38,0)',
    'INTEGER[]', 'INTEGER[][]', 'STRUCT(a INTEGER, b VARCHAR[])', 'MAP(VARCHAR, DOUBLE)', 'STRUCT(a STRUCT(b DATE))[]',
    'MAP(INTEGER, STRUCT(x JSON))',
  ]
  const columns = types.map((type, i) => declaredColumn(`c${i}`, type))
  for (const rowCountIs of ['exact', 'estimated'] as const) {
    const path = lake.path(`${rowCountIs}.parquet`)
    writeFileSync(path, skeletonBytes({ columns, rowCount: 5, rowCountIs, footer: null }))
    t.strictSame((await lake.rows(`DESCRIBE FROM '${path}'`)).map(([, type]) => type), types)
  }
})
