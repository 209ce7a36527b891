/** Constants of every type, extremes included: bound again, their text has the same value and the same type. */

import t from 'tap'
import { Unsupported } from '../../planner/unsupported.ts'
import { RoundTrip } from './round-trip.ts'

const roundTrip = await RoundTrip.open()
t.teardown(() => roundTrip.close())

const values: Readonly<Record<string, readonly string[]>> = {
  numbers: [
    'TRUE', 'FALSE', '0', '-1', '2147483647', '-2147483648', '-9223372036854775808', '9223372036854775807',
    '(-128)::TINYINT', '127::TINYINT', '(-32768)::SMALLINT', '255::UTINYINT', '65535::USMALLINT',
    '4294967295::UINTEGER',
    '18446744073709551615::UBIGINT', '9007199254740993', '-9007199254740993',
    '170141183460469231731687303715884105727::HUGEINT', '(-170141183460469231731687303715884105727)::HUGEINT - 1',
    '(-1)::HUGEINT', '340282366920938463463374607431768211455::UHUGEINT', '5::UHUGEINT',
    '1.50', '-0.01', '0.00::DECIMAL(4,2)', '99999999999999999999999999999999999999::DECIMAL(38,0)',
    `'-0.99999999999999999999999999999999999999'::DECIMAL(38,38)`, '-12345678901234567.8::DECIMAL(18,1)',
    '-7::DECIMAL(4,0)',
  ],
  floats: [
    '0.1::DOUBLE', '0.1::FLOAT', '-0.0::DOUBLE', '-0.0::FLOAT', `'nan'::DOUBLE`, `'-inf'::FLOAT`, `'inf'::DOUBLE`,
    '1.7976931348623157e308', '5e-324', '3.4028234663852886e38::FLOAT', '1.401298464324817e-45::FLOAT',
    '123456789012345680::DOUBLE', '1e16', '1e15', '0.6666666666666666::DOUBLE', '-1e-7',
  ],
  texts: [
    `''`, `'it''s'`, `'a"b\\c'`, `'é€😀'`, `chr(0)`, `'a' || chr(0) || '''' || chr(0)`, `e'\\t\\n\\r'`, `'ex7'`,
    `'18446744073709551615'`,
    `'NaN'`, `'{"$number":"5"}'`, `'{"a": [1, "x", null], "b": "\\u00e9"}'::JSON`, `'[]'::JSON`, `'"x"'::JSON`,
    `'-- no comment'`,
    `''::BLOB`, `'abc'::BLOB`, `'\\x00\\xFF\\x27\\x5C'::BLOB`, `'a''b'::BLOB`, `'Ünï'::VARCHAR::BLOB`,
    `uuid '00000000-0000-0000-0000-000000000000'`, `uuid 'ffffffff-ffff-ffff-ffff-ffffffffffff'`,
    `uuid '80000000-0000-0000-0000-000000000001'`, `uuid '7fffffff-1234-5678-9abc-def012345678'`,
  ].map(text => text.replace(`'Ünï'::VARCHAR::BLOB`, `encode('Ünï')`)),
  times: [
    `DATE '1970-01-01'`, `DATE '0001-01-01'`, `DATE '9999-12-31'`, `DATE '10000-01-01'`, `DATE '0001-01-01' - 1`,
    `DATE '5877642-06-25 (BC)'`,
    `DATE '5881580-07-10'`, `DATE 'infinity'`, `DATE '-infinity'`, `DATE '2024-02-29'`, `DATE '0044-03-15 (BC)'`,
    `TIME '00:00:00'`, `TIME '23:59:59.999999'`, `TIME '24:00:00'`, `'12:34:56.123456789'::TIME_NS`,
    `'00:00:00'::TIME_NS`,
    `TIMETZ '10:00:00+05:30'`, `TIMETZ '00:00:00-15:59:59'`, `TIMETZ '24:00:00+15:59:59'`,
    `TIMETZ '10:00:00.000001+00'`,
    `TIMESTAMP '2024-03-31 02:30:00'`, `TIMESTAMP '1969-12-31 23:59:59.999999'`, `TIMESTAMP 'infinity'`,
    `TIMESTAMP '-infinity'`,
    `TIMESTAMP '290309-12-22 (BC) 00:00:00'`, `TIMESTAMP '294247-01-10 04:00:54.775806'`,
    `TIMESTAMP '0001-01-01 00:00:00'`,
    `TIMESTAMPTZ '2024-03-31 02:30:00+02'`, `TIMESTAMPTZ '2024-10-27 01:30:00+00'`, `TIMESTAMPTZ 'infinity'`,
    `TIMESTAMPTZ '-infinity'`,
    `TIMESTAMPTZ '1000-01-01 00:00:00+00'`, `TIMESTAMP_S '2024-01-01 00:00:01'`, `TIMESTAMP_S 'infinity'`,
    `TIMESTAMP_S '1900-01-01'`,
    `TIMESTAMP_MS '2024-01-01 00:00:00.001'`, `TIMESTAMP_MS '-infinity'`, `TIMESTAMP_MS '1600-01-01 00:00:00.999'`,
    `TIMESTAMP_NS '2024-01-01 00:00:00.123456789'`, `TIMESTAMP_NS '1900-01-01 00:00:00.000000001'`,
    `TIMESTAMP_NS 'infinity'`,
    `INTERVAL '0 days'`, `INTERVAL '-1 month 2 days -3.000004 seconds'`, `INTERVAL 2147483647 MONTH`,
    `INTERVAL (-2147483648) DAY`,
    `to_microseconds(9223372036854775807)`, `to_microseconds(-9223372036854775807)`,
  ],
  nested: [
    '[1, 2, NULL]', '[]', '[]::DATE[]', '[[1], [], NULL]', '[NULL]', `['a', NULL]`, '[1, 2]::INTEGER[2]',
    '[[1.5, 2], [3, 4]]::DECIMAL(3,1)[2][]',
    `{'a': 1, 'b c': 'x', 'd"e': NULL}`, `{'a': {'b': [DATE '2024-01-01']}}`, `row(1, 'x', [2])`,
    `NULL::STRUCT(a INTEGER, "b c" VARCHAR[])`,
    `MAP {'k': 1, 'l''m': NULL}`, 'MAP {}', `MAP {1: [1, 2]}`, `MAP {{'x': 1}: {'y': 'z'}}`,
    `NULL::MAP(VARCHAR, INTEGER[])`,
    `'b'::ENUM('a', 'b', 'it''s')`, `'it''s'::ENUM('a', 'b', 'it''s')`, `NULL::ENUM('a')`, `['a']::ENUM('b', 'a')[]`,
    `[{'x': 1::HUGEINT, 'y': 0.5::FLOAT}]`, `{'u': uuid '00000000-0000-0000-0000-00000000000a', 't': TIME '24:00:00'}`,
  ],
  nulls: [
    'NULL', 'NULL::BOOLEAN', 'NULL::HUGEINT', 'NULL::DECIMAL(20,3)', 'NULL::VARCHAR', 'NULL::JSON', 'NULL::BLOB',
    'NULL::TIMETZ',
    'NULL::TIMESTAMP_NS', 'NULL::TIMESTAMPTZ', 'NULL::INTERVAL', 'NULL::BIT', 'NULL::BIGNUM', 'NULL::UUID',
    'NULL::INTEGER[3]', 'CASE WHEN FALSE THEN row(1) END', `CASE WHEN FALSE THEN [(1, 'x')] END`,
    `NULL::UNION(a INTEGER, "b c" VARCHAR)`,
  ],
}

for (const [subject, expressions] of Object.entries(values)) {
  t.test(`${subject} keep their value and type`, async t => {
    const wrong: string[] = []
    for (const expression of expressions) {
      const sql = `SELECT ${expression} AS v, typeof(${expression})`
      const found = await roundTrip.difference(sql).catch((thrown: unknown) => `${sql}\n${String(thrown)}`)
      if (found !== null) wrong.push(found)
    }
    t.strictSame(wrong, [])
  })
}

t.test('a constant that has no exact text is Unsupported', async t => {
  const inexact = [
    `'0101'::BIT`, '12::BIGNUM', 'union_value(a := 1)', '5::VARIANT', '[row(1)]',
  ]
  for (const expression of inexact) {
    const text = roundTrip.plan(`SELECT ${expression}`).then(plan => roundTrip.text(plan))
    await t.rejects(text, { name: Unsupported.name }, expression)
  }
})
