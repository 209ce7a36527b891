/** The lists of functions against the pinned DuckDB: an upgrade that brings or takes functions fails here first. */

import t from 'tap'
import { volatileFunctions } from '../../planner/functions.ts'
import { isDeniedScalarFunction } from '../../proto/scalar-functions.ts'
import { allowedTableFunctions } from '../../proto/table-functions.ts'
import { DuckDBInstance } from '../duckdb.ts'

const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
t.teardown(() => instance.closeSync())

async function names(condition: string): Promise<readonly string[]> {
  const sql = `SELECT DISTINCT function_name FROM duckdb_functions() WHERE ${condition} ORDER BY 1`
  return (await connection.runAndReadAll(sql)).getRowsJS().map(([name]) => String(name))
}

t.test('what DuckDB calls volatile is volatile here, error() apart', async t => {
  const known = await names(`function_type = 'scalar' AND stability <> 'CONSISTENT'`)
  t.strictSame(known.filter(name => !volatileFunctions.has(name)), ['error'])
})

t.test('no allowed table function reads a file or the state of the instance', async t => {
  const all = await names(`function_type IN ('table', 'table_macro')`)
  t.ok(all.includes('read_parquet'))
  const suspicious = /read|scan|parquet|csv|glob|duckdb|pragma|log|query|secret|checkpoint|profil|peg|sql|summary|sniff/
  t.strictSame([...allowedTableFunctions].filter(name => suspicious.test(name) || !all.includes(name)), [])
})

t.test('scalar functions that sound like reaching outside are those that were looked at', async t => {
  const all = await names(`function_type = 'scalar'`)
  const reaching = /env|file|read_|write|_log|secret|_plan|execute|setting|load|__internal/
  const sounding = all.filter(name => reaching.test(name))
  t.strictSame(sounding.filter(name => !isDeniedScalarFunction(name)), [
    'current_setting', 'parse_duckdb_log_message', 'parse_filename',
  ])
})
