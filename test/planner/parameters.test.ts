/** Where parameters stand in a text: what is found is compared with what DuckDB finds in the same text. */

import t from 'tap'
import { asQueryError } from '../../proto/errors.ts'
import { bindText, findParameters, parameterNames, withArguments } from '../../planner/parameters.ts'
import { DuckDBInstance } from '../duckdb.ts'

const texts = [
  'SELECT ?', 'SELECT ?, a FROM t WHERE a = ? AND s = \'?\'', 'SELECT $2, $1, $2', 'SELECT $x, $Y + $x',
  'SELECT ?2, ?1',
  `SELECT E'it\\'s ?', ?`, `SELECT e'\\\\', ?`, `SELECT 'it''s ?', ?`, 'SELECT $$ ? $$, ?', 'SELECT $a$ ? $$ ? $a$, ?',
  'SELECT 1 /* /* ? */ ? */ , ?', 'SELECT ? -- ?\n, ?', 'SELECT a AS "?""?", ? FROM t', 'SELECT a AS x$1, ? FROM t',
  'SELECT a AS é$1, $é FROM t', 'SELECT 1', 'SELECT [?, 1][?], ?::INTEGER', 'SELECT list_transform([1], x -> x + ?)',
  'SELECT ?+?-?', `SELECT type_name FROM (SELECT 'a' AS type_name) WHERE type_name LIKE ?`, `SELECT 1e5, ?`,
  `SELECT 'a'::VARCHAR || ?`, 'INSERT INTO t VALUES (?, ?)', 'UPDATE t SET s = ? WHERE a = $2',
  'DELETE FROM t WHERE a = ?', 'SELECT ?::VARCHAR AS "a;b", $$;$$, ?', 'SELECT 1 AS 😀, ?', 'SELECT $é$ ? $é$, ?',
  'SELECT 1 -- ?\r, ?', 'SELECT\u00a0?', 'SELECT $1abc', 'SELECT ?a', 'SELECT ?1, 2',
] as const

t.test('the parameters of a text are those that DuckDB finds', async t => {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run('CREATE TABLE t(a INTEGER, s VARCHAR)')
  const found: unknown[] = []
  const expected: unknown[] = []
  for (const sql of texts) {
    const prepared = await connection.prepare(sql)
    const names = Array.from({ length: prepared.parameterCount }, (_, i) => prepared.parameterName(i + 1).toLowerCase())
    expected.push([sql, [...names].sort()])
    found.push([sql, [...parameterNames(findParameters(sql))].sort()])
  }
  t.strictSame(found, expected)
})

t.test('names are in the order of their numbers, or of their first mention', async t => {
  t.strictSame(parameterNames(findParameters('SELECT $10, $2, $1')), ['1', '2', '10'])
  t.strictSame(parameterNames(findParameters('SELECT $b, $a, $b')), ['b', 'a'])
})

t.test('values stand where the parameters stood, and places lead back', async t => {
  const { sql, originalPosition } = bindText(`SELECT '?', ? + nope, $1`, new Map([['1', '40']]))
  t.equal(sql, `SELECT '?', (40) + nope, (40)`)
  t.equal(originalPosition(sql.indexOf('nope')), `SELECT '?', ? + nope`.indexOf('nope'))
  t.equal(originalPosition(sql.indexOf('40')), 12)
  t.equal(originalPosition(3), 3)
  t.throws(() => bindText('SELECT ?, ?', new Map([['1', '1']])),
    { name: 'QueryError', code: 'INVALID_REQUEST', message: 'no value is given for the parameter $2', position: 10 })
})

t.test('arguments come in by order, by number and by name', async t => {
  t.equal(withArguments('select ?, ?', ['1', "'b'"]), "select (1), ('b')")
  t.equal(withArguments('select $2, $1, $1', ['1', '2']), 'select (2), (1), (1)')
  t.equal(withArguments('select $a + $b', ['a := 1', 'B := 2']), 'select (1) + (2)')
  t.equal(withArguments('select 1', []), 'select 1')
})

t.test('what only looks like a parameter stays', async t => {
  const text = `select '?', "$1", $$ ? $$, a$1 -- ?\n /* $2 */`
  t.equal(withArguments(text, []), text)
})

t.test('an argument too few or too many is refused', async t => {
  const failure = (sql: string, values: string[]) => {
    try {
      return withArguments(sql, values)
    } catch (error) {
      return asQueryError(error).message
    }
  }
  t.equal(failure('select ?, ?', ['1']), 'no value is given for the parameter $2')
  t.equal(failure('select ?', ['1', '2']), 'the statement has no parameter $2')
})
