/** Values as JSON in both styles; the text of scalars is tested against DuckDB in text-value.test.ts. */

import t from 'tap'
import { readBatch, readSchema } from '../../proto/arrow.ts'
import { jsonReader } from '../../proto/json-value.ts'
import { timeZone, UTC, type TimeZone } from '../../proto/time-zone.ts'
import { openWorkbench, type Workbench } from '../executor/workbench.ts'
import { valueCases } from './value-cases.ts'

async function jsonOf(
  bench: Workbench, type: string, values: readonly string[], zone = UTC,
): Promise<[exact: string, natural: string][]> {
  const rows = values.map((value, i) => `SELECT ${i} AS i, ${value} AS x`)
  const { outcome, frames } = await bench.result({
    sql: `SELECT x FROM (${rows.join(' UNION ALL ')}) ORDER BY i`,
    output: { case: 'result', value: { columns: [{ name: 'x', type }] } },
  })
  const [schema, batch] = frames
  if (schema === undefined || batch === undefined) throw new Error(`no rows of ${type}: ${JSON.stringify(outcome)}`)
  const { rowCount, columns: [column] } = readBatch(readSchema(schema), batch)
  if (column === undefined) throw new Error('no column')
  const [exact, natural] = [jsonReader(column, 'exact', zone), jsonReader(column, 'natural', zone)]
  return Array.from({ length: rowCount }, (_, row) => [exact(row), natural(row)])
}

t.test('numbers, truths and nested values are JSON, everything else is text', async t => {
  const bench = await openWorkbench(t)
  const same: readonly (readonly [type: string, sql: string, json: string])[] = [
    ['BOOLEAN', 'true', 'true'],
    ['BIGINT', '(-9223372036854775808)::BIGINT', '-9223372036854775808'],
    ['HUGEINT', '170141183460469231731687303715884105727::HUGEINT', '170141183460469231731687303715884105727'],
    ['UHUGEINT', '340282366920938463463374607431768211455::UHUGEINT', '340282366920938463463374607431768211455'],
    ['BIGNUM', "'1234567890123456789012345678901234567890123'::BIGNUM", '1234567890123456789012345678901234567890123'],
    ['DECIMAL(2,2)', '(-0.05)::DECIMAL(2,2)', '-0.05'],
    ['DECIMAL(18,4)', '12345678901234.5000::DECIMAL(18,4)', '12345678901234.5000'],
    ['VARCHAR', 'NULL::VARCHAR', 'null'],
    ['VARCHAR', `'"' || chr(10) || 'é\\'`, '"\\"\\né\\\\"'],
    ['DATE', "DATE '2020-01-02'", '"2020-01-02"'],
    ['INTERVAL', "INTERVAL '1 day'", '"1 day"'],
    ['BLOB', "'\\xff'::BLOB", '"\\\\xFF"'],
    ["ENUM('a')", "'a'::ENUM('a')", '"a"'],
    ['INTEGER[]', '[1, NULL]', '[1,null]'],
    ['DATE[]', "[DATE '2020-01-02']", '["2020-01-02"]'],
    ['VARCHAR[2]', "array_value('a,b', NULL)", '["a,b",null]'],
    ['STRUCT("k ""1" BOOLEAN, l BIGINT[])', `{'k "1': true, 'l': [9]}`, '{"k \\"1":true,"l":[9]}'],
    ['STRUCT(INTEGER, VARCHAR)', "row(1, 'x')", '{"v1":1,"v2":"x"}'],
    ['MAP(INTEGER, VARCHAR)', "MAP {1: 'x', 2: NULL}", '{"1":"x","2":null}'],
    ['MAP(DATE, INTEGER[])', "MAP {DATE '2020-01-02': [1]}", '{"2020-01-02":[1]}'],
  ]
  for (const [type, sql, json] of same) t.strictSame(await jsonOf(bench, type, [sql]), [[json, json]], `${type} ${sql}`)
})

t.test('the two styles differ in floats and in JSON', async t => {
  const bench = await openWorkbench(t)
  t.strictSame(await jsonOf(bench, 'DOUBLE', ['1e16', "'-0.0'::DOUBLE", "'nan'::DOUBLE", "'-inf'::DOUBLE"]), [
    ['"1e+16"', '1e+16'], ['"-0.0"', '-0.0'], ['"nan"', '"nan"'], ['"-inf"', '"-inf"'],
  ])
  t.strictSame(await jsonOf(bench, 'FLOAT', ['0.1::FLOAT']), [['"0.1"', '0.1']])
  const texts = ["'{\"a\":\n 1e400}'::JSON", "'null'::JSON", 'NULL::JSON', "'[NaN]'::JSON"]
  t.strictSame(await jsonOf(bench, 'JSON', texts), [
    ['"{\\"a\\":\\n 1e400}"', '{"a":  1e400}'], ['"null"', 'null'], ['null', 'null'], ['"[NaN]"', '"[NaN]"'],
  ])
  t.strictSame(await jsonOf(bench, 'STRUCT(d DOUBLE, j JSON)', ["{'d': 1.5::DOUBLE, 'j': '[1]'::JSON}"]), [
    ['{"d":"1.5","j":"[1]"}', '{"d":1.5,"j":[1]}'],
  ])
})

t.test('an instant is told in the zone that is asked for', async t => {
  const bench = await openWorkbench(t)
  const values = ["TIMESTAMPTZ '2024-03-31 01:00:00+00'"]
  const told = async (zone?: TimeZone) => (await jsonOf(bench, 'TIMESTAMP WITH TIME ZONE', values, zone)).flat()
  t.strictSame(await told(), ['"2024-03-31 01:00:00+00"', '"2024-03-31 01:00:00+00"'])
  t.strictSame(await told(timeZone('Europe/Berlin')), ['"2024-03-31 03:00:00+02"', '"2024-03-31 03:00:00+02"'])
})

t.test('whatever the value, its JSON can be read, and takes one line', async t => {
  const bench = await openWorkbench(t)
  for (const [type, values] of valueCases) {
    const nameless = type === 'STRUCT(INTEGER, VARCHAR)' // a type whose text DuckDB does not read
    const rows = nameless ? values : [...values, 'NULL'].map(value => `CAST(${value} AS ${type})`)
    const texts = (await jsonOf(bench, type, rows)).flat()
    t.strictSame(texts.filter(text => text.includes('\n') || !isJson(text)), [], type)
  }
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
