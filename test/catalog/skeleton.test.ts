/** Skeletons; DuckDB's plans over the real files are the judge. */

import t from 'tap'
import { type Lake, openLake } from './lake.ts'

/** Operators of DuckDB's optimized plan with constants and estimates: what must not differ from the files' own. */
async function planOf(lake: Lake, sql: string): Promise<string> {
  const [[json]] = await lake.rows(`SELECT json_serialize_plan($$${sql}$$, optimize := true)`) as [[string]]
  if (json.startsWith('{"error":true')) throw new Error(json)
  const explained = await lake.rows(`EXPLAIN (FORMAT json) ${sql}`)
  return json.replaceAll(/\/[^"]*\.parquet/g, 'FILE').replaceAll(/"query_location":\d+/g, '') +
    JSON.stringify(explained).replaceAll(/\/[^"\\]*\.parquet/g, 'FILE')
}

/** `$name` in a text is the file of that name. */
const over = (sql: string, sources: Readonly<Record<string, string>>) =>
  sql.replaceAll(/\$(\w+)/g, (_, name: string) => {
    return `read_parquet('${sources[name]}', hive_partitioning = false) AS ${name}`
  })

t.test('a skeleton plans as the file that it stands for', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('l.parquet', `SELECT i AS l_key, (i * 7) % 1000 AS l_part, (i % 50)::DECIMAL(15,2) AS l_quantity,
    i * 1.5 AS l_price, date '1992-01-01' + (i % 2500)::INTEGER AS l_ship, ['A', 'N', 'R'][1 + i % 3] AS l_flag,
    'comment ' || i AS l_comment, nullif(i % 9, 3) AS l_maybe, {'a': i, 'b': [i]} AS l_nested
    FROM range(60000) t(i)`, ', ROW_GROUP_SIZE 10000')
  await lake.write('o.parquet', `SELECT i AS o_key, i % 1500 AS o_customer,
    timestamp '1992-01-01' + INTERVAL (i) MINUTE AS o_time, i % 2 = 0 AS o_open, i::DOUBLE AS o_total
    FROM range(15000) t(i)`)
  const skeletons = {
    l: (await lake.table('l.parquet')).skeletonPath, o: (await lake.table('o.parquet')).skeletonPath,
  }
  const files = { l: lake.path('l.parquet'), o: lake.path('o.parquet') }
  const queries = [
    'SELECT * FROM $l', 'SELECT count(*) FROM $l', 'SELECT min(l_key), max(l_ship), count(*) FROM $l',
    'SELECT max(l_comment), min(l_flag) FROM $l', 'SELECT max(l_maybe) FROM $l',
    `SELECT l_flag, sum(l_quantity), avg(l_price) FROM $l WHERE l_ship <= date '1998-09-02' GROUP BY l_flag ORDER BY 1`,
    'SELECT count(*) FROM $l WHERE l_part > 5000', 'SELECT l_key FROM $l WHERE l_key IS NOT NULL AND l_maybe IS NULL',
    `SELECT o_customer, sum(l_price) FROM $l JOIN $o ON l_key = o_key WHERE o_time < timestamp '1992-01-03'
     AND l_quantity < 24 GROUP BY ALL ORDER BY 2 DESC LIMIT 10`,
    'SELECT count(*) FROM $o WHERE o_open AND EXISTS (SELECT 1 FROM $l WHERE l_key = o_key AND l_part <> o_customer)',
    'SELECT l_nested.a FROM $l WHERE l_nested.a = 3', `SELECT * FROM $l WHERE l_flag = 'Z'`,
    'SELECT * FROM $o WHERE o_total > 14999', 'SELECT sum(l_key) FROM $l WHERE l_maybe < 9',
  ]
  for (const query of queries) {
    t.equal(await planOf(lake, over(query, skeletons)), await planOf(lake, over(query, files)), query)
  }
})

t.test('types of a skeleton are those of its files', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('types.parquet', `SELECT 1::TINYINT a, 1::UTINYINT b, 1::SMALLINT c, 1::USMALLINT d, 1::INTEGER e,
    1::UINTEGER f, 1::BIGINT g, 1::UBIGINT h, 1::FLOAT i, 1::DOUBLE j, 'x' k, 'x'::BLOB l, true m, date '2020-01-01' n,
    timestamp '2020-01-01' o, timestamptz '2020-01-01' p, timestamp_ns '2020-01-01' q, time '10:00' r, uuid() s,
    1::DECIMAL(4,1) "t t", 1::DECIMAL(9,2) u, 1::DECIMAL(18,3) v, 1::DECIMAL(38,4) w, [1] x,
    {'a': 1, 'b': {'c': ['x']}} y, MAP {1: ['a']} z, '{}'::JSON aa, INTERVAL 1 DAY bb, [{'q': 1}] cc,
    timetz '10:00:00+02' dd`)
  const table = await lake.table('types.parquet')
  const describe = (path: string) => lake.rows(`DESCRIBE FROM '${path}'`)
  t.strictSame(await describe(table.skeletonPath), await describe(lake.path('types.parquet')))
  t.strictSame(table.columns.length, 30)
})

t.test('statistics of a part never reach the skeleton', async t => {
  const lake = await openLake()
  t.teardown(() => lake.close())
  await lake.write('p/1.parquet', `SELECT i AS a, i AS b, 'x' AS c FROM range(10) t(i)`)
  await lake.write('p/2.parquet', `SELECT 100 + i AS a, i::INTEGER AS b, NULL::VARCHAR AS c FROM range(10) t(i)`)
  await lake.write('p/3.parquet', `SELECT 100 AS a, 1.5::DOUBLE AS b, 'y' AS c`)
  const table = await lake.table('p/*.parquet')
  const plan = async (where: string) => {
    const [[json]] = await lake.rows(`SELECT json_serialize_plan(
      $$SELECT a FROM '${table.skeletonPath}' WHERE ${where}$$, optimize := true)`) as [[string]]
    return json.includes('LOGICAL_EMPTY_RESULT') ? 'folded' : 'read'
  }
  t.equal(table.rowCount, 21)
  t.equal(await plan('a = 105'), 'read', 'the second file has it')
  t.equal(await plan('a > 109'), 'folded', 'no file has it')
  t.equal(await plan('b > 9'), 'read', 'values of another kind, so nothing is known')
  t.equal(await plan('c IS NULL'), 'read', 'the second file has nulls')
  t.equal(await plan('a IS NULL'), 'folded')
  t.strictSame(await lake.rows(`SELECT min(a), max(a), count(*) FROM '${table.skeletonPath}'`), [[0n, 109n, 21n]],
    'DuckDB answers from the statistics, and they are those of both files')
})
