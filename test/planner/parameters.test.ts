/** Where parameters stand in a text: what is found is compared with what DuckDB finds in the same text. */

import { DuckDBInstance } from '@duckdb/node-api'
import t from 'tap'
import { bindText, findParameters, parameterNames } from '../../planner/parameters.ts'

const texts = [
  'SELECT ?', 'SELECT ?, a FROM t WHERE a = ? AND s = \'?\'', 'SELECT $2, $1, $2', 'SELECT $x, $Y + $x',
  'SELECT ?2, ?1',
  `SELECT E'it\\'s ?', ?`, `SELECT e'\\\\', ?`, `SELECT 'it''s ?', ?`, 'SELECT $$ ? $$, ?', 'SELECT $a$ ? $$ ? $a$, ?',
  'SELECT 1 /* /* ? */ ? */ , ?', 'SELECT ? -- ?\n, ?', 'SELECT a AS "?""?", ? FROM t', 'SELECT a AS x$1, ? FROM t',
  'SELECT a AS é$1, $é FROM t', 'SELECT 1', 'SELECT [?, 1][?], ?::INTEGER', 'SELECT list_transform([1], x -> x + ?)',
  'SELECT ?+?-?', `SELECT type_name FROM (SELECT 'a' AS type_name) WHERE type_name LIKE ?`, `SELECT 1e5, ?`,
  `SELECT 'a'::VARCHAR || ?`, 'INSERT INTO t VALUES (?, ?)', 'UPDATE t SET s = ? WHERE a = $2',
  'DELETE FROM t WHERE a = ?',
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
