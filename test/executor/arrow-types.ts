/**
 * Every DuckDB type that Arrow has a form for: an expression over `i`, its type, and SQL for the canonical text of `x`.
 * And types that are cast to text first, with the text that DuckDB gives.
 */

export interface TypeCase {
  readonly name: string
  readonly type: string
  readonly sql: string
  readonly text: string
}

const own = 'x::VARCHAR'
const json = 'to_json(x)::VARCHAR'
/** One row in three is infinite, either way. */
const infinite = (type: string): string =>
  `CASE i%6 WHEN 0 THEN 'infinity'::${type} WHEN 3 THEN '-infinity'::${type} ELSE '2001-02-03'::${type} END`
/** What `finite` gives but for the infinities, which are the ends of the numbers. */
const endsOf = (type: string, finite: string, end: string): string =>
  `CASE x WHEN 'infinity'::${type} THEN '${end}' WHEN '-infinity'::${type} THEN '-${end}' ELSE ${finite} END`
const INT64 = '9223372036854775807'

const rows: readonly (readonly [type: string, sql: string, text: string])[] = [
  ['BOOLEAN', 'i%3=0', own], ['TINYINT', '(i%100-50)', own], ['SMALLINT', '(i%60000-30000)', own],
  ['INTEGER', '(i-7000)', own], ['BIGINT', 'i*-1234567890123', own], ['UTINYINT', 'i%256', own],
  ['USMALLINT', 'i%65536', own], ['UINTEGER', 'i+4000000000', own],
  ['UBIGINT', '18446744073709551615::UBIGINT - i::UBIGINT', own],
  ['HUGEINT', "'-170141183460469231731687303715884105727'::HUGEINT + i", own],
  ['FLOAT', 'i*0.25', 'x::DOUBLE::VARCHAR'], ['DOUBLE', 'i/-8.0', own],
  ['DECIMAL(4,1)', '(i%9999-5000)/10', '(x*10)::HUGEINT::VARCHAR'],
  ['DECIMAL(9,2)', '(i-9000)/100', '(x*100)::HUGEINT::VARCHAR'],
  ['DECIMAL(18,3)', 'i*-123456789.125', '(x::DECIMAL(38,3)*1000)::HUGEINT::VARCHAR'],
  ['DECIMAL(38,5)', "'-1234567890123456789012345'::DECIMAL(38,5)+i", '(x*100000)::HUGEINT::VARCHAR'],
  ['DATE', "DATE '1960-01-01' + (i%30000)::INTEGER", "(x - DATE '1970-01-01')::VARCHAR"],
  ['TIME', "TIME '00:00:00.000001' + to_microseconds(i*4000001)", 'epoch_us(x)::VARCHAR'],
  ['TIME_NS', "'12:34:56.123456' || lpad((i%1000)::VARCHAR, 3, '0')", 'epoch_ns(x)::VARCHAR'],
  ['TIMESTAMP_S', 'make_timestamp((i-9000)*86399000000)', '(epoch_us(x::TIMESTAMP)//1000000)::VARCHAR'],
  ['TIMESTAMP_MS', 'make_timestamp((i-9000)*86399001000)', 'epoch_ms(x)::VARCHAR'],
  ['TIMESTAMP', 'make_timestamp((i-9000)*86399000001)', 'epoch_us(x)::VARCHAR'],
  ['TIMESTAMP_NS', 'make_timestamp_ns((i-9000)*86399000000001)', 'epoch_ns(x)::VARCHAR'],
  ['TIMESTAMP WITH TIME ZONE', 'make_timestamp((i-9000)*86399000001)', 'epoch_us(x)::VARCHAR'],
  [
    'INTERVAL', 'to_months((i%40-20)::INTEGER) + to_days((i%50-25)::INTEGER) + to_microseconds((i-9000)*1000003)',
    "datepart('year',x)*12+datepart('month',x) || '/' || datepart('day',x) || '/' || "
    + "(datepart('hour',x)*3600000000+datepart('minute',x)*60000000+datepart('microsecond',x))*1000",
  ],
  ['UUID', 'md5(i::VARCHAR)', own], ['VARCHAR', "'s' || i", own], ['VARCHAR', "repeat('long text ' || i, 3)", own],
  ['VARCHAR', "repeat('é' || i, (i%9)::INTEGER)", own],
  ['VARCHAR', "['a','bb','one longer constant string','yet another quite long one'][1+i%4]", own],
  ['BLOB', "encode('bytes \\x00 ' || repeat(i::VARCHAR, (i%5)::INTEGER))", 'hex(x)'],
  ['JSON', "to_json({'k': i})", own],
  ['BIGINT[]', '[i, NULL, i+1]', json],
  ['VARCHAR[]', "list_transform(range(i%6), lambda v: 'value number ' || v || ' of ' || i)", json],
  ['BIGINT[][]', '[[i],[i,NULL],[],NULL]', json],
  [
    'STRUCT(a BIGINT, b VARCHAR, c STRUCT(w VARCHAR[]))',
    "{'a': i, 'b': CASE WHEN i%3=0 THEN NULL ELSE 'str' || i END, 'c': {'w': [i::VARCHAR]}}", json,
  ],
  ['MAP(VARCHAR, BIGINT)', "MAP {'k' || i: i, 'a constant key': NULL}", json], ['BIGINT[3]', '[i, NULL, i*3]', json],
  ['DECIMAL(9,2)[]', '[i::DECIMAL(9,2)]', "'[\"' || (x[1]*100)::HUGEINT || '\"]'"],
  ['DATE', infinite('DATE'), endsOf('DATE', "(x - DATE '1970-01-01')::VARCHAR", '2147483647')],
  ['TIMESTAMP', infinite('TIMESTAMP'), endsOf('TIMESTAMP', 'epoch_us(x)::VARCHAR', INT64)],
  ['TIMESTAMP_S', infinite('TIMESTAMP_S'), endsOf('TIMESTAMP_S', 'epoch(x::TIMESTAMP)::BIGINT::VARCHAR', INT64)],
  ['TIMESTAMP_MS', infinite('TIMESTAMP_MS'), endsOf('TIMESTAMP_MS', 'epoch_ms(x)::VARCHAR', INT64)],
  ['TIMESTAMP_NS', infinite('TIMESTAMP_NS'), endsOf('TIMESTAMP_NS', 'epoch_ns(x)::VARCHAR', INT64)],
  ['TIMESTAMP WITH TIME ZONE', infinite('TIMESTAMPTZ'), endsOf('TIMESTAMPTZ', 'epoch_us(x)::VARCHAR', INT64)],
  ['STRUCT(a STRUCT(b MAP(VARCHAR, STRUCT(c BIGINT[2][])))[])',
    "{'a': [{'b': MAP {'k' || i: {'c': [[i, NULL], [i+1, 2]]}}}, NULL, {'b': NULL}]}", json],
  ['MAP(BIGINT, VARCHAR)[]', "[MAP {i: 'a string of some length'}, MAP {}]", json],
  ['STRUCT(a VARCHAR, b BIGINT)[2]', "[{'a': repeat('é', (i%20)::INTEGER), 'b': i}, NULL]", json],
  ['INTEGER', 'NULL', own], ['"NULL"', 'NULL', 'NULL::VARCHAR'],
]

export const typeCases: readonly TypeCase[] = rows.map(([type, sql, text], i) => ({ name: `t${i}`, type, sql, text }))

export const textCases: readonly TypeCase[] = ([
  ["ENUM('a', 'b''c')", "['a','b''c'][1+i%2]", own], ['UHUGEINT', "'340282366920938463463374607431768211455'", own],
  ['BIT', 'i::INTEGER', own], ['BIGNUM', "'123456789012345678901234567890123456789012345'", own],
  ['TIME WITH TIME ZONE', "'12:00:00+01'", own], ['VARIANT', 'i', own],
  ['UNION(k BIGINT, s VARCHAR)', 'union_value(k := i)', own],
  ['GEOMETRY', "('POINT (' || i || ' 2)')", own],
  ['UNION(k BIGINT, s VARCHAR)[]', '[union_value(k := i), union_value(k := 2)]', 'to_json(x::VARCHAR[])::VARCHAR'],
  ['STRUCT(b BIT, h UHUGEINT, v VARIANT)', "{'b': '101'::BIT, 'h': i, 'v': i}",
    'to_json(x::STRUCT(b VARCHAR, h VARCHAR, v VARCHAR))::VARCHAR'],
  ["ENUM('a', 'b')[]", "['a', NULL]", "'[\"a\",null]'"],
  ["STRUCT(e ENUM('a', 'b'), n BIGINT)", "{'e': 'a', 'n': i}", json],
  ["MAP(ENUM('a', 'b'), BIGINT)", "MAP {'a': i}", json],
] as const).map(([type, sql, text], i) => ({ name: `u${i}`, type, sql, text }))

/** `rows` values of each case, every fifth NULL if `nulls`. */
export function valuesSql(cases: readonly TypeCase[], rows: number, nulls: boolean): string {
  const value = ({ sql, type }: TypeCase, k: number): string => {
    if (type === '"NULL"') return 'NULL'
    return nulls ? `CAST(CASE WHEN hash(i, ${k})%5>0 THEN ${sql} END AS ${type})` : `CAST(${sql} AS ${type})`
  }
  const list = cases.map((one, k) => `${value(one, k)} AS ${one.name}`)
  return `SELECT ${list.join(', ')} FROM range(${rows}) t(i) ORDER BY i`
}

/** Their canonical texts. */
export function textsSql(cases: readonly TypeCase[], rows: number, nulls: boolean): string {
  const texts = cases.map(({ name, text }) => `CAST(${text.replace(/\bx\b/g, `r.${name}`)} AS VARCHAR) AS ${name}`)
  return `SELECT ${texts.join(', ')} FROM (${valuesSql(cases, rows, nulls)}) r`
}
