/**
 * Values as text, against DuckDB's own CAST AS VARCHAR over the same values. Known to differ: DuckDB 1.5.6 prints
 * three powers of two wrongly (`SELECT 2417851639229258349412352::DOUBLE` gives 4.835703278458517e+24, its double).
 */

import t from 'tap'
import { readBatch, readSchema, type ResultSchema } from '../../proto/arrow.ts'
import { textReader } from '../../proto/text-value.ts'
import { timeZone } from '../../proto/time-zone.ts'
import { openWorkbench, type Workbench } from '../executor/workbench.ts'
import { valueCases } from './value-cases.ts'

const zones = ['UTC', 'America/New_York', 'Europe/Amsterdam', 'Asia/Kathmandu']

/** Rows of `sql`, whose columns are x and DuckDB's text of it, where ours is another. */
async function differences(bench: Workbench, type: string, sql: string, zone = 'UTC'): Promise<string[]> {
  const columns = [{ name: 'x', type }, { name: 'text', type: 'VARCHAR' }]
  const { outcome, frames } = await bench.result({
    sql, output: { case: 'result', value: { columns } }, settings: { TimeZone: zone },
  })
  if (outcome.kind === 'failed') throw outcome.cause
  const found: string[] = []
  let schema: ResultSchema | undefined
  for (const frame of frames) {
    if (schema === undefined) {
      schema = readSchema(frame)
      continue
    }
    const { rowCount, columns: [ours, duckdb] } = readBatch(schema, frame)
    if (ours === undefined || duckdb === undefined) throw new Error('two columns were asked for')
    const [text, expected] = [textReader(ours, timeZone(zone)), textReader(duckdb, timeZone(zone))]
    for (let row = 0; row < rowCount; row++) {
      if (text(row) !== expected(row)) found.push(`${type}: ${text(row)} instead of ${expected(row)}`)
    }
  }
  return found
}

/** DuckDB does not read its own text of a struct without names. */
function cast(value: string, type: string): string {
  return type === 'STRUCT(INTEGER, VARCHAR)' ? value : `CAST(${value} AS ${type})`
}

t.test('every type is printed as DuckDB prints it', async t => {
  const bench = await openWorkbench(t)
  for (const [type, values] of valueCases) {
    const rows = [...values, 'NULL'].map((value, i) => `SELECT ${i} AS i, ${cast(value, type)} AS x`)
    const sql = `SELECT x, CAST(x AS VARCHAR) FROM (${rows.join(' UNION ALL ')}) ORDER BY i`
    for (const zone of type.startsWith('TIMESTAMP WITH') ? zones : ['UTC']) {
      t.strictSame(await differences(bench, type, sql, zone), [], `${type} in ${zone}`)
    }
  }
})

t.test('numbers are printed as DuckDB prints them, whatever their size', async t => {
  const bench = await openWorkbench(t)
  const sizes = (from: number, to: number) =>
    `(hash(i) / 18446744073709551615.0) * pow(10, (hash(i, 1) % ${to - from})::INT + ${from})`
  const over = (type: string, x: string) => {
    const values = `SELECT CAST(${x} AS ${type}) AS x FROM range(20000) t(i)`
    return differences(bench, type, `SELECT x, CAST(x AS VARCHAR) FROM (${values})`)
  }
  t.strictSame(await over('FLOAT', sizes(-44, 38)), [])
  t.strictSame(await over('FLOAT', 'pow(2, i % 277 - 149)'), [])
  t.strictSame(await over('FLOAT', 'i / 8'), [])
  t.strictSame(await over('DOUBLE', `-${sizes(-320, 308)}`), [])
  const digits = 'hash(i)::HUGEINT * (hash(i, 1) % 1000000000)::HUGEINT // pow(10, i % 20)::HUGEINT'
  t.strictSame(await over('DECIMAL(38,9)', `${digits} % 10000000000000000000000000000`), [])
})

t.test('days and instants are printed as DuckDB prints them, over thousands of years', async t => {
  const bench = await openWorkbench(t)
  const over = (type: string, x: string, zone: string) =>
    differences(bench, type, `SELECT x, CAST(x AS VARCHAR) FROM (SELECT ${x} AS x FROM range(5000) t(i))`, zone)
  t.strictSame(await over('DATE', "CAST(DATE '1970-01-01' + ((i - 2500) * 997)::INT AS DATE)", 'UTC'), [])
  for (const zone of zones) {
    const instants = "TIMESTAMPTZ '1880-01-01 00:00:00+00' + to_seconds(i * 1000007)"
    t.strictSame(await over('TIMESTAMP WITH TIME ZONE', instants, zone), [], zone)
  }
})
