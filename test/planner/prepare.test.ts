/** What a client is told of a statement before it runs. */

import t from 'tap'
import { systemClock } from '../../proto/clock.ts'
import { QueryError } from '../../proto/errors.ts'
import { Planner } from '../../planner/planner.ts'
import { makeTables, requestOf } from './planner-tables.ts'

const { folder, tables, remove } = await makeTables({
  orders: `SELECT i AS id, DATE '2024-01-01' AS day, (i * 1.5)::DECIMAL(9,2) AS price FROM range(50) t(i)`,
})
const planner = new Planner({ skeletonDirectory: folder, clock: systemClock })
t.teardown(async () => {
  planner.close()
  await remove()
})

const prepare = (sql: string) => planner.prepare(requestOf(sql, tables))

t.test('parameters have the types that follow from the text', async t => {
  t.strictSame(await prepare('SELECT id, price FROM orders WHERE day > ? AND price BETWEEN ? AND ? LIMIT ?'), {
    columns: [{ name: 'id', type: 'BIGINT' }, { name: 'price', type: 'DECIMAL(9,2)' }],
    parameters: [
      { name: '1', type: 'DATE' }, { name: '2', type: 'DECIMAL(9,2)' }, { name: '3', type: 'DECIMAL(9,2)' },
      { name: '4', type: 'BIGINT' },
    ],
  })
})

t.test('a parameter that could be anything is a text until it has a value', async t => {
  t.strictSame(await prepare('SELECT ?, id AS n FROM orders'), {
    columns: [{ name: '$1', type: 'VARCHAR' }, { name: 'n', type: 'BIGINT' }], parameters: [{ name: '1', type: null }],
  })
})

t.test('named parameters keep their order and names', async t => {
  const { parameters } = await prepare('SELECT id FROM orders WHERE day < $until AND id = $Id AND day > $from')
  t.strictSame(parameters, [
    { name: 'until', type: 'DATE' }, { name: 'id', type: 'BIGINT' }, { name: 'from', type: 'DATE' },
  ])
})

t.test('what may not run cannot be prepared, and errors have their place in the text that was sent', async t => {
  const failures = []
  for (const sql of [
    `FROM read_csv(?)`, `SELECT ?, nope FROM orders`, 'SELEC ?', 'SELECT ? FROM nowhere', `SELECT getenv(?)`,
    'DROP TABLE orders',
  ]) {
    const thrown: unknown = await prepare(sql).then(() => null, (reason: unknown) => reason)
    failures.push(thrown instanceof QueryError ? [thrown.code, thrown.position] : thrown)
  }
  t.strictSame(failures, [
    ['PERMISSION_DENIED', 5], ['BIND_ERROR', 10], ['SYNTAX_ERROR', 0], ['TABLE_NOT_FOUND', 14],
    ['PERMISSION_DENIED', 7], ['UNSUPPORTED_STATEMENT', undefined],
  ])
})
