/** TPC-H plans over skeletons of tables of several files equal those over one real file a table with the same rows. */

import { join } from 'node:path'
import t from 'tap'
import { generate, globOf } from '../../bench/tpch/generate.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { tableNames } from '../../bench/tpch/tables.ts'
import { openLake } from './lake.ts'

const SCALE = 0.01

t.test('22 queries', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await generate({ scale: SCALE, folder: join(lake.folder, 'tpch') })
  const catalog = lake.catalog(Object.fromEntries(tableNames.map(name => [name, `tpch/${globOf(name)}`])))
  const tables = await catalog.resolve(tableNames.map(name => [name]), { catalog: 'c', schema: 'main' })
  t.ok(tables.reduce((sum, table) => sum + table.files.length, 0) > tableNames.length, 'some tables have several files')
  for (const schema of ['skeletons', 'files']) await lake.rows(`CREATE SCHEMA ${schema}`)
  for (const { name: { table }, skeletonPath, files } of tables) {
    const list = files.map(({ file }) => `'${lake.path(file.key)}'`).join(', ')
    const one = join(lake.folder, `${table}.parquet`)
    await lake.rows(`COPY (FROM read_parquet([${list}])) TO '${one}' (FORMAT parquet)`)
    await lake.rows(`CREATE VIEW files.${table} AS FROM '${one}'`)
    await lake.rows(`CREATE VIEW skeletons.${table} AS FROM '${skeletonPath}'`)
  }
  const planOf = async (schema: string, sql: string) => {
    await lake.rows(`USE ${schema}`)
    const [[json]] = await lake.rows(`SELECT json_serialize_plan($$${sql}$$, optimize := true)`) as [[string]]
    if (json.startsWith('{"error":true')) throw new Error(json)
    const [[, explained]] = await lake.rows(`EXPLAIN (FORMAT json) ${sql}`) as [[string, string]]
    const masked = (text: string) => text
      .replaceAll(/\/[^"\\]*\.parquet/g, 'FILE').replaceAll(/"query_location":\d+/g, '').replaceAll(`.${schema}.`, '.')
    return { plan: masked(json), estimates: masked(explained) }
  }
  for (const { number, title, sql } of tpchQueries(SCALE)) {
    const [own, judge] = [await planOf('skeletons', sql), await planOf('files', sql)]
    t.ok(own.plan === judge.plan, `plan of Q${number}, ${title}`)
    t.ok(own.estimates === judge.estimates, `estimates of Q${number}`)
  }
})
