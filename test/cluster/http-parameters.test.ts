/** Parameters in POST /query: each answer is plain DuckDB's to the same text with the value written in its place. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { difference, parseCells, type Answer, type Cell } from '../sql/answer.ts'
import { Oracle } from '../sql/oracle.ts'
import { tables, tablesConfig, writeTables } from '../sql/tables.ts'
import { Skein, type SkeinOutcome } from './skein.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-parameters-'))
await writeTables(join(folder, 'files'))
const oracle = await Oracle.open(join(folder, 'files'), tables, 'lake')
const skein = await Skein.start({
  folder: join(folder, 'own'), executors: 2, config: tablesConfig(join(folder, 'files')),
  environment: { SKEIN_WHOLE_BYTES: '0' },
})
t.teardown(async () => {
  oracle.close()
  await skein.stop()
  await rm(folder, { recursive: true })
})

const ask = (sql: string, parameters: unknown, fields: object = {}): Promise<SkeinOutcome> =>
  skein.query(sql, { fields: { parameters, ...fields } })

/** The lines of the answer to parameters that JSON.stringify cannot write. */
async function linesOf(sql: string, parameters: string): Promise<string[]> {
  const body = `{"statement":${JSON.stringify(sql)},"cache":false,"parameters":${parameters}}`
  const response = await fetch(new URL('/query', skein.doors.http), { method: 'POST', body })
  return (await response.text()).trimEnd().split('\n')
}

/** The parameters as JSON, and what stands for each in plain DuckDB. */
const cases: readonly (readonly [sql: string, parameters: unknown, plain: string])[] = [
  ['SELECT count(*) AS n FROM sales WHERE customer = ?', [7], 'SELECT count(*) AS n FROM sales WHERE customer = 7'],
  ['SELECT count(*) AS n, min($1) AS x FROM sales WHERE customer = $2 AND day > $1', ['2024-01-10', 7],
    "SELECT count(*) AS n, min('2024-01-10') AS x FROM sales WHERE customer = 7 AND day > '2024-01-10'"],
  ['SELECT name FROM people WHERE team = $Team AND age > $age ORDER BY id', { team: 'red', $age: 30 },
    "SELECT name FROM people WHERE team = 'red' AND age > 30 ORDER BY id"],
  ['SELECT ?2 AS a, ?1 AS b', ['x', 'y'], "SELECT 'y' AS a, 'x' AS b"],
  ["SELECT ? AS a, '?' AS b -- ?", [true], "SELECT true AS a, '?' AS b"],
  ['SELECT ? AS a, ? AS b', [null, false], 'SELECT NULL AS a, false AS b'],
  ['SELECT ? AS a, ? AS b, ? AS c, ? AS d', [-1, 2147483648, 1.25, 1e300],
    'SELECT -1 AS a, 2147483648 AS b, 1.25 AS c, 1e300 AS d'],
  ['SELECT ? AS a', ["it's"], "SELECT 'it''s' AS a"],
  ['SELECT ? AS a', [[1, null, 3]], 'SELECT [1, NULL, 3] AS a'],
  ['SELECT count(*) AS n FROM people WHERE team IN (SELECT unnest(?))', [['red', 'blue']],
    "SELECT count(*) AS n FROM people WHERE team IN ('red', 'blue')"],
  ['SELECT ? AS a', [{ x: 1, y: ['z'], 'a b': null }], "SELECT {'x': 1, 'y': ['z'], 'a b': NULL} AS a"],
  ['SELECT team, count(*) AS n FROM people GROUP BY ALL ORDER BY ?, team', [2],
    'SELECT team, count(*) AS n FROM people GROUP BY ALL ORDER BY team'],
  ['SELECT id FROM people ORDER BY id LIMIT ? OFFSET ?', [3, 2], 'SELECT id FROM people ORDER BY id LIMIT 3 OFFSET 2'],
]

const typed: readonly (readonly [type: string, value: unknown, plain: string])[] = [
  ['DATE', '2020-02-29', "DATE '2020-02-29'"], ['INTEGER', null, 'NULL::INTEGER'], ['utinyint', 200, '200::UTINYINT'],
  ['TIMESTAMP', '2020-01-01 10:00:00.5', "TIMESTAMP '2020-01-01 10:00:00.5'"],
  ['TIMESTAMPTZ', '2020-01-01 10:00:00+02', "TIMESTAMPTZ '2020-01-01 10:00:00+02'"],
  ['TIME', '10:00', "TIME '10:00'"], ['INTERVAL', '1 year 2 days', "INTERVAL '1 year 2 days'"],
  ['UUID', '00000000-0000-4000-8000-000000000001', "'00000000-0000-4000-8000-000000000001'::UUID"],
  ['BLOB', '\\xAA', "'\\xAA'::BLOB"], ['BOOLEAN', true, 'true'], ['DOUBLE', 1.5, '1.5::DOUBLE'],
  ['FLOAT', 2, '2::FLOAT'],
  ['HUGEINT', '170141183460469231731687303715884105727', '170141183460469231731687303715884105727::HUGEINT'],
  ['DECIMAL(38, 10)', 1.1, '1.1::DECIMAL(38,10)'], ['VARCHAR', 5, "'5'"], ['BIT', '0101', "'0101'::BIT"],
  ['DATE[]', ['2020-01-01', null], "[DATE '2020-01-01', NULL]"], ['INTEGER[2]', [1, 2], '[1, 2]::INTEGER[2]'],
  ['STRUCT(a DATE, b VARCHAR[])', { a: '2020-01-01', b: [1] }, "{'a': DATE '2020-01-01', 'b': ['1']}"],
  ['MAP(VARCHAR, INTEGER)', { k: 1, l: null }, "MAP {'k': 1, 'l': NULL}"],
  ['MAP(VARCHAR, INTEGER)', {}, 'MAP {}::MAP(VARCHAR, INTEGER)'],
  ['JSON', { a: [1, 1.50, 'x', null] }, `'{"a":[1,1.5,"x",null]}'::JSON`], ['JSON', 'x', `'"x"'::JSON`],
  ["ENUM('a', 'b')", 'b', "'b'::ENUM('a', 'b')"], ['STRUCT(type VARCHAR, value INTEGER)', { type: 't', value: 1 },
    "{'type': 't', 'value': 1}"],
]

t.test('values of every JSON type stand for parameters by order, by number and by name', async t => {
  for (const [sql, parameters, plain] of cases) {
    const [outcome, expected] = [await ask(sql, parameters), await oracle.run(plain)]
    if (outcome.kind === 'error') t.fail(`${sql}: ${outcome.message}`)
    else t.equal(difference(expected, outcome.answer, true), undefined, sql)
  }
})

t.test('a value has the type that is named with it', async t => {
  for (const [type, value, plain] of typed) {
    const outcome = await ask('SELECT ? AS v', [{ type, value }])
    const expected = await oracle.run(`SELECT ${plain} AS v`)
    if (outcome.kind === 'error') t.fail(`${type}: ${outcome.message}`)
    else t.equal(difference(expected, outcome.answer, true), undefined, type)
  }
})

t.test('numbers keep all their digits', async t => {
  const numbers = [
    '9007199254740993', '-9223372036854775807', '9223372036854775808', '1.10', '0.1000000000000000055511', '-0.5',
    '1E2', '123456789012345678901234567890123456789012',
  ]
  for (const number of numbers) {
    const [, columns = '', row = ''] = await linesOf('SELECT ? AS v', `[${number}]`)
    const answer = { columns: JSON.parse(columns) as Answer['columns'], rows: [parseCells(row) as readonly Cell[]] }
    t.equal(difference(await oracle.run(`SELECT ${number} AS v`), answer, true), undefined, number)
  }
})

t.test('columns have the names that DuckDB gives them, errors their place in the text that was sent', async t => {
  const named = await ask('SELECT ? + 1, $2', [1, 2])
  t.strictSame(named.kind === 'rows' && named.answer.columns.map(({ name }) => name), ['($1 + 1)', '$2'])
  t.match(await ask('SELECT ?, nope FROM people', ['a long value that moves the rest']), {
    kind: 'error', code: 'BIND_ERROR', position: 10,
  })
  t.match(await ask('SELECT ?, nope FROM people', ['a long value'], { format: 'csv' }), {
    kind: 'error', code: 'BIND_ERROR', position: 10,
  })
})

t.test('a value too few, too many, or that is none is refused before anything runs', async t => {
  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ['SELECT ?, ?', [1], /^1 values are given for 2 parameters$/],
    ['SELECT ?', [1, 2], /^2 values are given for 1 parameters$/],
    ['SELECT 1', [1], /for 0 parameters/],
    ['SELECT $a', { b: 1 }, /^the statement has no parameter \$b$/],
    ['SELECT $a', {}, /^no value is given for the parameter \$a$/], ['SELECT ?', 'text', /^parameters must be a list/],
    ['SELECT ?', 5, /^parameters must be a list/], ['SELECT ?', [{}], /^parameter \$1 is an object without fields$/],
    ['SELECT ?', [{ type: 'NOTHING', value: 1 }], /has a type that is none: "NOTHING"/],
    ['SELECT ?', [{ type: 'DATE); DROP', value: 1 }], /has a type that is none/],
    ['SELECT ?', ['\0'], /^parameter \$1 has a zero character$/],
  ]
  for (const [sql, parameters, message] of refused) {
    t.match(await ask(sql, parameters), { kind: 'error', code: 'INVALID_REQUEST', message }, sql)
  }
  t.match(await linesOf('SELECT ?', `[${'['.repeat(200)}${']'.repeat(200)}]`), [/nested more than 100 deep/])
})

t.test('a value is never read as SQL', async t => {
  for (const value of ["'); SELECT 1; --", "x' || (SELECT 'y') || '", '$$', '\\', "\\'", '$1', '?', '"', '/*', '--']) {
    const outcome = await ask('SELECT ? AS v', [value])
    t.strictSame(outcome.kind === 'rows' && outcome.answer.rows, [[value]], value)
    const field = await ask('SELECT ? AS v', [{ [value]: 1 }])
    t.strictSame(field.kind === 'rows' && field.answer.rows, [[{ [value]: '1' }]], value)
  }
  t.match(await ask('SELECT * FROM read_text(?)', ['/etc/passwd']), { kind: 'error', code: 'PERMISSION_DENIED' })
  t.match(await ask('SELECT * FROM query(?)', ["SELECT * FROM read_text('/etc/passwd')"]), {
    kind: 'error', code: 'PERMISSION_DENIED',
  })
})

t.test('what a session makes takes parameters too', async t => {
  const fields = { session_id: '00000000-0000-4000-8000-000000000009' }
  await ask('CREATE TEMP TABLE kept AS SELECT ? AS a, ?::DATE AS b', [1, '2020-01-01'], fields)
  await ask('INSERT INTO kept VALUES ($x, $y)', { x: 2, y: '2020-01-02' }, fields)
  const outcome = await ask('SELECT a FROM kept WHERE b > $1; SELECT a FROM kept WHERE b = ?2 ORDER BY 1', [
    '2020-01-01', '2020-01-02',
  ], fields)
  t.strictSame(outcome.kind === 'rows' && outcome.answer.rows, [['2']])
})
