/** What SqlInfo says of the SQL is what DuckDB does. */

import t from 'tap'
import { conversions, sqlInfos } from '../../coordinator/serve/sql-info.ts'
import { openConnection } from '../executor/ingest-workbench.ts'

/** By their numbers in enum SqlSupportsConvert, with values that any type may be made of, if it can at all. */
const types: readonly (readonly [type: string, ...values: string[]])[] = [
  ['BIGINT', '1'], ['BLOB', "'a'"], ['BOOLEAN', 'true'], ['VARCHAR', "'1'", "'2020-01-01'", "'10:00'", "'1 day'"],
  ['DATE', "'2020-01-01'"], ['DECIMAL(9,2)', '1'], ['DOUBLE', '1'], ['INTEGER', '1'], ['INTERVAL', "'1 day'"],
  ['INTERVAL', "'1 month'"], ['BLOB', "'a'"], ['VARCHAR', "'1'", "'2020-01-01'", "'10:00'", "'1 day'"],
  ['DECIMAL(9,2)', '1'], ['FLOAT', '1'], ['SMALLINT', '1'], ['TIME', "'10:00'"], ['TIMESTAMP', "'2020-01-01'"],
  ['TINYINT', '1'], ['BLOB', "'a'"], ['VARCHAR', "'1'", "'2020-01-01'", "'10:00'", "'1 day'"],
]

t.test('it converts what it says, and nothing else', async t => {
  const connection = await openConnection(t)
  const works = async (sql: string): Promise<boolean> => connection.run(sql).then(() => true, () => false)
  for (const [from, [source, ...values]] of types.entries()) {
    const possible: number[] = []
    for (const [to, [target]] of types.entries()) {
      const casts = values.map(value => `SELECT CAST(CAST(${value} AS ${source}) AS ${target})`)
      if ((await Promise.all(casts.map(works))).includes(true)) possible.push(to)
    }
    t.strictSame([...conversions().get(from) ?? []].sort((a, b) => a - b), possible, source)
  }
})

t.test('functions and words that it names are there', async t => {
  const connection = await openConnection(t)
  const infos = sqlInfos('x')
  const told = (code: number): readonly string[] => {
    const info = infos.get(code)
    return info !== undefined && 'texts' in info ? info.texts : []
  }
  const names = async (sql: string) => new Set((await connection.texts(sql, [0])).map(([name]) => name))
  const functions = await names('SELECT function_name FROM duckdb_functions()')
  const missing = [509, 510, 511, 512].flatMap(told).filter(name => !functions.has(name))
  t.strictSame(missing.sort(), ['current_time', 'current_timestamp', 'extract'], 'those are grammar')
  const keywords = await names('SELECT keyword_name FROM duckdb_keywords()')
  t.ok(told(508).length > 0)
  t.strictSame(told(508).filter(word => !keywords.has(word)), [])
})
