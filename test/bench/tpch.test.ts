/** TPC-H data of scale 0.01: made twice it is the same, it keeps the specification's rules, every question has rows. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { generate, globOf } from '../../bench/tpch/generate.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { tableNames } from '../../bench/tpch/tables.ts'
import { DuckDBInstance, type DuckDBConnection } from '../duckdb.ts'

const SCALE = 0.01
const folder = await mkdtemp(join(tmpdir(), 'skein-tpch-'))
const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
t.teardown(async () => {
  instance.closeSync()
  await rm(folder, { recursive: true })
})

async function open(name: string): Promise<DuckDBConnection> {
  const path = join(folder, name)
  await generate({ scale: SCALE, folder: path })
  const connection = await instance.connect()
  for (const table of tableNames) {
    await connection.run(`CREATE TEMP VIEW ${table} AS
      FROM read_parquet('${join(path, globOf(table))}', file_row_number = true)`)
  }
  return connection
}

async function rows(connection: DuckDBConnection, sql: string): Promise<unknown[][]> {
  return (await connection.runAndReadAll(sql)).getRowsJson()
}

const first = await open('first')

t.test('made twice, every row has the same values at the same place', async t => {
  const second = await open('second')
  for (const table of tableNames) {
    const content = `SELECT count(*), bit_xor(hash(t)) FROM ${table} t`
    t.strictSame(await rows(second, content), await rows(first, content), table)
  }
})

t.test('all 22 questions have rows, and no answer is one NULL', async t => {
  t.equal(tpchQueries(SCALE).length, 22)
  for (const { number, sql } of tpchQueries(SCALE)) {
    const [row] = await rows(first, sql)
    t.ok(row !== undefined && row.some(value => value !== null), `Q${number}`)
  }
})

/** Each counts the rows that break a rule of the specification. */
const rules = {
  'a part has four suppliers': `SELECT count(*) FROM (
    SELECT ps_partkey FROM partsupp GROUP BY ps_partkey HAVING count(DISTINCT ps_suppkey) <> 4)`,
  'a line is supplied by a supplier of its part': `SELECT count(*) FROM lineitem
    ANTI JOIN partsupp ON ps_partkey = l_partkey AND ps_suppkey = l_suppkey`,
  'every third customer never orders': 'SELECT count(*) FROM orders WHERE o_custkey % 3 = 0',
  'order keys use 8 of 32': 'SELECT count(*) FROM orders WHERE (o_orderkey - 1) % 32 > 7',
  'an order has 1 to 7 lines': `SELECT count(*) FROM orders LEFT JOIN (
    SELECT l_orderkey, count(*) n, max(l_linenumber) top FROM lineitem GROUP BY 1) ON l_orderkey = o_orderkey
    WHERE n IS NULL OR n > 7 OR n <> top`,
  'the total is the sum of the lines': `SELECT count(*) FROM orders JOIN (
    SELECT l_orderkey, sum(l_extendedprice * (1 + l_tax) * (1 - l_discount))::DECIMAL(15,2) total
    FROM lineitem GROUP BY 1) ON l_orderkey = o_orderkey WHERE total <> o_totalprice`,
  'the state follows the lines': `SELECT count(*) FROM orders JOIN lineitem ON l_orderkey = o_orderkey
    WHERE o_orderstatus <> 'P' AND o_orderstatus <> l_linestatus`,
  'dates keep their order and their range': `SELECT count(*) FROM orders JOIN lineitem ON l_orderkey = o_orderkey
    WHERE o_orderdate NOT BETWEEN DATE '1992-01-01' AND DATE '1998-08-02'
      OR l_shipdate - o_orderdate NOT BETWEEN 1 AND 121 OR l_receiptdate - l_shipdate NOT BETWEEN 1 AND 30
      OR l_commitdate - o_orderdate NOT BETWEEN 30 AND 90`,
  'only what came before 1995-06-18 can be returned': `SELECT count(*) FROM lineitem
    WHERE (l_returnflag = 'N') <> (l_receiptdate > DATE '1995-06-17')`,
  'a name is five different colours': `SELECT count(*) FROM part
    WHERE len(list_distinct(string_split(p_name, ' '))) <> 5`,
  'a phone begins with its nation':
    'SELECT count(*) FROM customer WHERE left(c_phone, 2)::INTEGER <> 10 + c_nationkey',
}

t.test('the data keeps the rules of the specification', async t => {
  for (const [rule, sql] of Object.entries(rules)) t.strictSame(await rows(first, sql), [['0']], rule)
})

t.test('big tables have several files', async t => {
  t.strictSame(await rows(first, `SELECT count(DISTINCT filename) FROM read_parquet(
    '${join(folder, 'first', globOf('lineitem'))}', filename = true)`), [['8']])
})
