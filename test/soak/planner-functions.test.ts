/**
 * Every scalar function and aggregate of DuckDB, over columns of the types that it takes: as emitted text it gives the
 * same rows and types, or it is Unsupported for a reason that is listed here. About 15,000 calls, some minutes.
 */

import t from 'tap'
import { Unsupported } from '../../planner/unsupported.ts'
import { RoundTrip } from '../planner/round-trip.ts'

/** Arguments over the table `types`, by the type of a parameter. */
const samples: Readonly<Record<string, readonly string[]>> = {
  INTEGER: ['id', '3'], BIGINT: ['bi', 'id::BIGINT', '2::BIGINT'], TINYINT: ['ti'], SMALLINT: ['si'], UTINYINT: ['ut'],
  USMALLINT: ['us'], UINTEGER: ['ui'], UBIGINT: ['ub'], HUGEINT: ['ti::HUGEINT'], UHUGEINT: ['id::UHUGEINT'],
  FLOAT: ['f'], DOUBLE: ['d', 'id::DOUBLE', '0.5::DOUBLE'], DECIMAL: ['d18', 'd4'], BIGNUM: ['id::BIGNUM'],
  VARCHAR: ['js::VARCHAR', `'a' || id`, `'month'`, `'$.a'`], BLOB: ['bl'], BIT: ['id::INTEGER::BIT'], UUID: ['uu'],
  DATE: ['dt'], TIME: ['tm'], TIME_NS: ['tm::TIME_NS'], 'TIME WITH TIME ZONE': ['tm::TIMETZ'],
  TIMESTAMP: ['ts'], TIMESTAMP_S: ['ts::TIMESTAMP_S'], TIMESTAMP_MS: ['ts::TIMESTAMP_MS'], TIMESTAMP_NS: ['tn'],
  'TIMESTAMP WITH TIME ZONE': ['tz'], INTERVAL: ['iv', 'INTERVAL 1 DAY'], BOOLEAN: ['id > 3'], JSON: ['js'],
  ANY: ['id', `'x' || id`, '[id, 2]'], T: ['id'], K: ['id'], 'ANY[]': ['[id, 2]'], 'T[]': ['[id, 2]'],
  'VARCHAR[]': [`['a', 'b' || id]`], 'BIGINT[]': ['[bi]'], 'DOUBLE[]': ['[d, 1.5]'], 'INTEGER[]': ['[id]'],
  'FLOAT[ANY]': ['[id, 2]::FLOAT[2]'], 'DOUBLE[ANY]': ['[id, 2]::DOUBLE[2]'], STRUCT: [`{'a': id, 'b': 'x'}`],
  MAP: ['MAP {id: 1}'], UNION: ['union_value(a := id)'],
}
/** More combinations of arguments than these are not tried. */
const CALLS_PER_FUNCTION = 24
/** They fail, write, or answer by session, clock and version. */
const skipped = new RegExp('^(error|sleep|pg_|getenv|write_log|nextval|currval|setseed|json_serialize|json_execute'
  + '|json_deserialize|version|current_|txid|get_current|now|today|transaction_timestamp|in_search|parse_|has_'
  + '|create_sort|stats|vector_type)')
const unsupported = /modulo|function data of |age\(x\)|function alias|type TYPE/

const roundTrip = await RoundTrip.open()
t.teardown(() => roundTrip.close())

async function calls(kind: string): Promise<readonly string[]> {
  const found = await roundTrip.plain.runAndReadAll(
    `SELECT DISTINCT function_name, to_json(parameter_types)::VARCHAR, varargs FROM duckdb_functions()
      WHERE function_type = '${kind}' AND stability <> 'VOLATILE' AND schema_name = 'main' ORDER BY ALL`)
  return found.getRowsJS().flatMap(([name, parameters, rest]) => skipped.test(String(name)) ? []
    : argumentsFor(JSON.parse(String(parameters)) as string[], rest === null ? null : String(rest))
      .map(list => `"${String(name)}"(${list.join(', ')}`))
}

function argumentsFor(parameters: readonly string[], rest: string | null): readonly (readonly string[])[] {
  let lists: readonly (readonly string[])[] = [[]]
  for (const type of parameters) {
    const options = samples[type] ?? samples[type.replace(/\(.*/, '')] ?? []
    lists = lists.flatMap(list => options.map(option => [...list, option])).slice(0, CALLS_PER_FUNCTION)
  }
  const more = rest === null ? [] : (samples[rest] ?? ['id']).slice(0, 1)
  return rest === null ? lists : [...lists, ...lists.map(list => [...list, ...more, ...more])]
}

interface Checked {
  readonly same: number
  readonly wrong: readonly string[]
}

/** Statements that DuckDB itself refuses are passed over; counts the others. */
async function check(statements: readonly string[]): Promise<Checked> {
  let same = 0
  const wrong: string[] = []
  for (const sql of statements) {
    if (await roundTrip.plain.runAndReadAll(sql).then(() => false, () => true)) continue
    const found = await roundTrip.difference(sql).catch((thrown: unknown) =>
      thrown instanceof Unsupported && unsupported.test(thrown.message) ? null : `${sql}\n${String(thrown)}`)
    if (found === null) same++
    else wrong.push(found)
  }
  return { same, wrong }
}

t.test('scalar functions', async t => {
  const { same, wrong } = await check((await calls('scalar')).map(call => `SELECT id, ${call}) FROM types`))
  t.strictSame(wrong, [])
  t.ok(same > 2000, `${same} calls`)
})

t.test('aggregates: alone, ordered and filtered in groups, and in a window', async t => {
  const { same, wrong } = await check((await calls('aggregate')).flatMap(call => [
    `SELECT ${call}) FROM types WHERE id <> 1`,
    `SELECT id % 2, ${call} ORDER BY id) FILTER (id < 6) FROM types GROUP BY id % 2`,
    `SELECT id, ${call}) OVER (ORDER BY id ROWS 2 PRECEDING) FROM types`,
  ]))
  t.strictSame(wrong, [])
  t.ok(same > 2000, `${same} calls`)
})
