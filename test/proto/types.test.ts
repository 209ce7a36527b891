/** Types as text: what DuckDB writes is read, and what is written is read by DuckDB as the same type. */

import t from 'tap'
import { QueryError } from '../../proto/errors.ts'
import { knownDuckType, parseDuckType, sameType, typeText } from '../../proto/types.ts'
import { DuckDBInstance } from '../duckdb.ts'

const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
t.teardown(() => instance.closeSync())

/** DuckDB's own text of the type that `text` names. */
async function ownText(text: string): Promise<string> {
  const result = await connection.runAndReadAll(`SELECT typeof(CAST(NULL AS ${text}))`)
  return String(result.getRowsJS()[0]?.[0])
}

const types = [
  'BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT',
  'UHUGEINT',
  'FLOAT', 'DOUBLE', 'VARCHAR', 'BLOB', 'BIT', 'BIGNUM', 'UUID', 'JSON', 'VARIANT', 'GEOMETRY', 'DATE', 'TIME',
  'TIME_NS',
  'TIME WITH TIME ZONE', 'INTERVAL', 'TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS',
  'TIMESTAMP WITH TIME ZONE',
  'DECIMAL(4,0)', 'DECIMAL(38,38)', 'INTEGER[]', 'INTEGER[3]', 'INTEGER[][2][]', 'DECIMAL(5,2)[]',
  'STRUCT(a INTEGER)', 'STRUCT("b c" VARCHAR, "d""e" INTEGER[], "select" DATE)',
  'STRUCT("TIME" TIME WITH TIME ZONE, "Ü" JSON)',
  `ENUM('a', 'b''c', '', 'é,)')`, `ENUM('x')[]`, 'MAP(VARCHAR, INTEGER)',
  `MAP(ENUM('a'), MAP(BIGINT, STRUCT(x TIME WITH TIME ZONE[])))`,
  'UNION(num INTEGER, "s t" VARCHAR)', 'UNION(a UNION(b INTEGER))', 'STRUCT("double" DOUBLE, "precision" DOUBLE)',
]

t.test('DuckDB\'s own text of a type is read, and written as the same type', async t => {
  for (const type of types) {
    const own = await ownText(type)
    const parsed = parseDuckType(own)
    t.equal(await ownText(typeText(parsed)), own, own)
    t.ok(sameType(parseDuckType(typeText(parsed)), parsed), own)
  }
})

t.test('aliases are read as DuckDB reads them', async t => {
  const aliases = [
    'bool', 'logical', 'int1', 'int2', 'short', 'int4', 'int', 'signed', 'integral', 'int8', 'long', 'int16', 'int32',
    'int64', 'int128',
    'uint8', 'uint16', 'uint32', 'uint64', 'uint128', 'float4', 'real', 'float8', 'double precision', 'text', 'string',
    'char', 'bpchar', 'nvarchar', 'varchar(10)', 'bytea', 'binary', 'varbinary', 'bitstring', 'guid', 'datetime',
    'timestamp_us',
    'timestamptz', 'timetz', 'decimal', 'numeric', 'dec', 'numeric(7)', 'decimal(7, 3)', 'oid', 'row(a int, b text)',
    'struct(a int4[3], "b" timestamptz)', 'map(text, timestamp with time zone)', 'text[]', `enum('a','b')`,
  ]
  for (const alias of aliases) {
    t.equal(typeText(parseDuckType(alias)), typeText(parseDuckType(await ownText(alias))), alias)
  }
})

t.test('a struct made by row() has fields without names', async t => {
  const result = await connection.runAndReadAll(`SELECT typeof(row(1, 'x', [TIMETZ '10:00:00+00']))`)
  t.strictSame(parseDuckType(String(result.getRowsJS()[0]?.[0])), { kind: 'struct', fields: [
    { name: '', type: { kind: 'scalar', name: 'INTEGER' } }, { name: '', type: { kind: 'scalar', name: 'VARCHAR' } },
    { name: '', type: { kind: 'list', child: { kind: 'scalar', name: 'TIME WITH TIME ZONE' } } },
  ] })
})

t.test('types are read as DuckDB writes them', async t => {
  const scalar = (name: string) => ({ kind: 'scalar', name })
  const INTEGER = scalar('INTEGER')
  const cases: [string, unknown][] = [
    ['"NULL"', scalar('"NULL"')],
    ['TIMESTAMP WITH TIME ZONE', scalar('TIMESTAMP WITH TIME ZONE')],
    ['DECIMAL(18,3)', { kind: 'decimal', width: 18, scale: 3 }],
    ['INTEGER[3][]', { kind: 'list', child: { kind: 'array', size: 3, child: INTEGER } }],
    ['MAP(VARCHAR, INTEGER[])', { kind: 'map', key: scalar('VARCHAR'), value: { kind: 'list', child: INTEGER } }],
    ["ENUM('a', 'it''s, (b)')", { kind: 'enum', values: ['a', "it's, (b)"] }],
    ['UNION(a INTEGER)', { kind: 'union', members: [{ name: 'a', type: INTEGER }] }],
    ['STRUCT("a ""b" INTEGER, TIME TIME, "NULL" "NULL")', { kind: 'struct', fields: [
      { name: 'a "b', type: INTEGER }, { name: 'TIME', type: scalar('TIME') }, { name: 'NULL', type: scalar('"NULL"') },
    ] }],
    ['STRUCT(INTEGER, TIMESTAMP WITH TIME ZONE, "NULL", STRUCT(x INTEGER)[])', { kind: 'struct', fields: [
      { name: '', type: INTEGER }, { name: '', type: scalar('TIMESTAMP WITH TIME ZONE') },
      { name: '', type: scalar('"NULL"') },
      { name: '', type: { kind: 'list', child: { kind: 'struct', fields: [{ name: 'x', type: INTEGER }] } } },
    ] }],
  ]
  for (const [text, type] of cases) t.strictSame(parseDuckType(text), type, text)
})

t.test('text that is no type is refused', async t => {
  const texts = [
    '', 'NOVEL', 'INTEGER[', 'INTEGER]', 'STRUCT(', 'MAP(INTEGER)', 'ENUM(a)', 'DECIMAL(x)', 'INTEGER; DROP',
    'GEOMETRY(4)', 'MONEY[]', 'STRUCT()', 'STRUCT(a INTEGER', 'STRUCT(a MONEY)', "ENUM('a)", 'INTEGER, VARCHAR',
    '['.repeat(1000),
    '"INTEGER"', `${'STRUCT(a '.repeat(5000)}INTEGER${')'.repeat(5000)}`,
  ]
  const refused = { name: QueryError.name, code: 'UNSUPPORTED_STATEMENT' }
  for (const text of texts) {
    t.throws(() => parseDuckType(text), refused, text.slice(0, 20))
    t.equal(knownDuckType(text), undefined)
  }
})

t.test('types differ by name of a field, width and length', async t => {
  const differs = (a: string, b: string) => !sameType(parseDuckType(a), parseDuckType(b))
  t.ok(differs('STRUCT(a INTEGER)', 'STRUCT(b INTEGER)'))
  t.ok(differs('DECIMAL(4,2)', 'DECIMAL(5,2)'))
  t.ok(differs('INTEGER[2]', 'INTEGER[3]'))
  t.ok(differs('INTEGER[]', 'INTEGER[3]'))
  t.ok(differs('VARCHAR', 'JSON'))
  t.notOk(differs('STRUCT("a" INTEGER)', 'STRUCT(a INT)'))
})
