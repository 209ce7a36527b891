/** Arrow batches as tables of DuckDB: every type that is taken comes back as it was sent. */

import t, { type Test } from 'tap'
import { parseDuckType, typeText } from '../../proto/types.ts'
import { typeCases, valuesSql } from './arrow-types.ts'
import { column, encoded, ingest, openConnection } from './ingest-workbench.ts'

const ROWS = 5_000

/** Types that come back as another: Arrow has no form of its own for them. */
const returnTypes: Readonly<Record<string, string>> = { JSON: 'VARCHAR', '"NULL"': 'INTEGER' }

/** A HUGEINT of 39 digits is no DECIMAL. */
const cases = typeCases.filter(({ type }) => type !== 'HUGEINT')

async function goesRound(t: Test, nulls: boolean): Promise<void> {
  const connection = await openConnection(t)
  await connection.run(`CREATE TEMP TABLE source AS ${valuesSql(cases, ROWS, nulls)}`)
  const messages = await encoded(connection, 'source', cases.map(({ name, type }) => ({ name, type })))
  const { rowCount, columns } = await ingest(connection, 'target', messages)
  t.equal(rowCount, ROWS)
  const expected = cases.map(({ type }) => typeText(parseDuckType(returnTypes[type] ?? type)))
  t.strictSame(columns.map(({ type }) => type), expected)
  const wrong: string[] = []
  for (const { name, type } of cases) {
    const read = (table: string): Promise<(string | null)[]> =>
      column(connection, `SELECT ${name}::VARCHAR FROM ${table}`)
    const [sent, kept] = [await read('source'), await read('target')]
    const at = sent.findIndex((value, i) => value !== kept[i])
    if (at !== -1 || kept.length !== ROWS) wrong.push(`${type} row ${at}: ${kept[at]} instead of ${sent[at]}`)
  }
  t.strictSame(wrong, [])
}

t.test('every type without NULLs', t => goesRound(t, false))
t.test('every type with NULLs', t => goesRound(t, true))

