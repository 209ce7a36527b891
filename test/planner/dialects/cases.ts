/**
 * Statements of a dialect with the values that its documentation says they have. They run as their translations on one
 * plain DuckDB over the table
 *
 *   t: a INTEGER, b INTEGER, c VARCHAR, d DATE, e DECIMAL(15,2)
 *      1          2          'x'        2020-01-31  1.50
 *      2          NULL       'y'        2020-03-01  2.25
 *      3          7          NULL       NULL        NULL
 */

import type { DialectName } from '../../../planner/dialect/dialect.ts'
import { translate } from '../../../planner/dialect/translate.ts'
import { asQueryError } from '../../../proto/errors.ts'
import { DuckDBInstance, type DuckDBConnection } from '../../duckdb.ts'

interface Test {
  readonly same: (found: unknown, wanted: unknown, message: string) => unknown
  readonly equal: (found: unknown, wanted: unknown, message: string) => unknown
  readonly ok: (found: unknown, message: string) => unknown
  teardown(callback: () => void): void
}

/** Rows as text: cells between `|`, rows between `/`. */
export type Case = readonly [sql: string, rows: string]

export async function runCases(t: Test, dialect: DialectName, cases: readonly Case[]): Promise<void> {
  const connection = await table(t)
  t.ok(cases.length >= 40, `${cases.length} statements`)
  const found: Case[] = []
  for (const [sql] of cases) found.push([sql, await answer(connection, dialect, sql)])
  t.same(found, cases, dialect)
}

async function answer(connection: DuckDBConnection, dialect: DialectName, sql: string): Promise<string> {
  try {
    const reader = await connection.runAndReadAll(await translate(dialect, sql))
    return reader.getRowsJson().map(row => row.map(text).join('|')).join('/')
  } catch (thrown) {
    return `error: ${String((thrown as Error).message).split('\n')[0]}`
  }
}

function text(cell: unknown): string {
  return cell === null ? 'NULL' : typeof cell === 'object' ? JSON.stringify(cell) : String(cell)
}

/** `^` stands in the text before the place that the refusal names, and is not part of it. */
export type Refused = readonly [marked: string, what: string]

export async function runRefused(t: Test, dialect: DialectName, cases: readonly Refused[]): Promise<void> {
  for (const [marked, what] of cases) {
    const position = marked.indexOf('^')
    const sql = marked.slice(0, position) + marked.slice(position + 1)
    const error = await translate(dialect, sql).then(text => `became ${text}`, asQueryError)
    if (typeof error === 'string') t.equal(error, what, sql)
    else t.same([error.message.split('\n')[0], error.position], [`${dialect}: ${what}`, position], sql)
  }
}

async function table(t: Test): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  t.teardown(() => {
    connection.closeSync()
    instance.closeSync()
  })
  await connection.run('CREATE TABLE t (a INTEGER, b INTEGER, c VARCHAR, d DATE, e DECIMAL(15, 2))')
  await connection.run(`INSERT INTO t VALUES (1, 2, 'x', '2020-01-31', 1.50), (2, NULL, 'y', '2020-03-01', 2.25),
    (3, 7, NULL, NULL, NULL)`)
  return connection
}
