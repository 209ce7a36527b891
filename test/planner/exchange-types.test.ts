/** Every type through a Parquet file as exchanges write and read it: cast to its wire type and back. */

import t from 'tap'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wireType } from '../../planner/exchange-types.ts'
import { parseDuckType, typeText } from '../../proto/types.ts'
import { DuckDBInstance } from '../duckdb.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-exchange-types-'))
const instance = await DuckDBInstance.create(':memory:', { enable_external_file_cache: 'false' })
const connection = await instance.connect()
t.teardown(async () => {
  instance.closeSync()
  await rm(folder, { recursive: true })
})
let files = 0

/** The type of each value and its own text, which shows every bit that Parquet could lose. */
async function rows(sql: string): Promise<unknown> {
  return (await connection.runAndReadAll(`SELECT typeof(v), v::VARCHAR FROM (${sql})`)).getRowsJS()
}

const values: readonly string[] = [
  'TRUE', '(-5)::TINYINT', '65535::USMALLINT', '4294967295::UINTEGER', '18446744073709551615::UBIGINT',
  '9007199254740993::BIGINT',
  '9007199254740993::HUGEINT', '(-170141183460469231731687303715884105727)::HUGEINT - 1',
  '340282366920938463463374607431768211455::UHUGEINT',
  `'nan'::DOUBLE`, '-0.0::DOUBLE', '0.1::FLOAT', `'-inf'::FLOAT`,
  '99999999999999999999999999999999999999::DECIMAL(38,0)', '-1.5::DECIMAL(4,1)',
  `'é' || chr(0) || ''''`, `'\\x00\\xFF'::BLOB`, `'0101'::BIT`, '123456789012345678901234567890123456789012::BIGNUM',
  `'{"a": 1}'::JSON`, `uuid '80000000-0000-0000-0000-000000000001'`, `DATE 'infinity'`, `DATE '0044-03-15 (BC)'`,
  `TIME '24:00:00'`, `'12:34:56.123456789'::TIME_NS`, `TIMETZ '10:00:00+05:30'`, `TIMETZ '00:00:00-15:59:59'`,
  `TIMESTAMP '-infinity'`, `TIMESTAMP '0044-03-15 (BC) 00:00:00.000001'`, `TIMESTAMPTZ '2024-03-31 02:30:00+02'`,
  `TIMESTAMP_S '2024-01-01 00:00:01'`, `TIMESTAMP_MS '1600-01-01 00:00:00.999'`,
  `TIMESTAMP_NS '2024-01-01 00:00:00.123456789'`,
  `INTERVAL '1 month -2 days 3.000004 seconds'`, `'b'::ENUM('a', 'b''c', 'b')`, '5::VARIANT', '[1, 2]::INTEGER[2]',
  '[[1, NULL], NULL]::HUGEINT[2][]',
  `{'a': 9007199254740993::HUGEINT, 'b c': [INTERVAL 1 MICROSECOND]}`, `MAP {'k': TIMETZ '10:00:00+01', 'l': NULL}`,
  `MAP {9007199254740993::HUGEINT: 'x'::ENUM('x')}`, `[{'e': 'y'::ENUM('x', 'y'), 's': TIMESTAMP_S '2024-01-01'}]`,
  `[]::ENUM('a')[]`, `[DATE '2024-01-01']`,
]

t.test('a value and a NULL of each type come back the same', async t => {
  for (const value of values) {
    const [[own] = []] = (await connection.runAndReadAll(`SELECT typeof(${value})`)).getRowsJS()
    const type = parseDuckType(String(own))
    const wire = wireType(type)
    if (wire === null) throw new Error(`no wire type for ${String(own)}`)
    const source = `SELECT ${value} AS v UNION ALL SELECT NULL`
    const path = join(folder, `${files++}.parquet`)
    const written = `SELECT CAST(v AS ${typeText(wire)}) AS v FROM (${source})`
    await connection.run(`COPY (${written}) TO '${path}' (FORMAT parquet)`)
    t.strictSame(await rows(`SELECT CAST(v AS ${typeText(type)}) AS v FROM '${path}'`), await rows(source), value)
  }
})

t.test('a type that Parquet keeps is its own wire type, the very same value', async t => {
  const kept = ['BIGINT', 'DECIMAL(38,5)', 'VARCHAR[]', 'STRUCT(a INTEGER, b JSON[])', 'MAP(UUID, DATE)', 'TIME_NS']
  for (const text of kept) {
    const type = parseDuckType(text)
    t.equal(wireType(type), type, text)
  }
})

t.test('unions and structs without names have no wire type, at any depth', async t => {
  const refused = [
    'UNION(a INTEGER)', 'UNION(a INTEGER)[]', 'STRUCT(x MAP(INTEGER, UNION(a INTEGER)))', 'UNION(a INTEGER)[2]',
    'STRUCT(INTEGER, VARCHAR)',
  ]
  for (const text of refused) {
    t.equal(wireType(parseDuckType(text)), null, text)
  }
})
