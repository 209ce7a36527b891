/** Values that come as Arrow, as literals: the same value and type as when the same Arrow is loaded into a table. */

import t from 'tap'
import { valueSql } from '../../coordinator/bound-value.ts'
import { ArrowIngest } from '../../proto/ingest/arrow-ingest.ts'
import { parseDuckType } from '../../proto/types.ts'
import { duckStreams, foreignStreams } from '../executor/ingest-streams.ts'
import { ingest, openConnection } from '../executor/ingest-workbench.ts'

const ROWS = 40

t.test('a literal has the value and the type of the Arrow value', async t => {
  const connection = await openConnection(t)
  const streams = [...await duckStreams(connection, ROWS), ...await foreignStreams(ROWS)]
  const wrong: unknown[] = []
  let checked = 0
  for (const [i, { name, messages }] of streams.entries()) {
    const table = `target${i}`
    await ingest(connection, table, messages)
    const [schema, ...others] = messages
    const reader = new ArrowIngest(schema?.dataHeader ?? new Uint8Array(0))
    const batches = others.map(message => reader.take(message)).filter(batch => batch !== null)
    let from = 0
    for (const batch of batches) {
      for (const [place, column] of reader.columns.entries()) {
        const rows = batch.columns[place]
        if (rows === undefined) throw new Error('a batch without a column')
        const literals = Array.from({ length: batch.rowCount }, (_, row) =>
          valueSql(parseDuckType(column.type), rows, row))
        // a type of its own has each of them, NULL without a type too
        const same = literals.map((literal, row) => `SELECT ${from + row} AS r, (${literal})::VARCHAR AS v, `
          + `typeof(${literal}) AS t`).join(' UNION ALL ')
        const answers = await connection.texts(
          `SELECT r, v, t, c::VARCHAR, typeof(c) FROM (${same}) JOIN (SELECT "${column.name}" AS c, rowid AS id `
          + `FROM ${table}) ON r = id WHERE v IS DISTINCT FROM c::VARCHAR OR (t <> typeof(c) AND t <> '"NULL"')`,
          [0, 1, 2, 3, 4])
        wrong.push(...answers.map(answer => [name, column.name, ...answer]))
        checked += literals.length
      }
      from += batch.rowCount
    }
  }
  t.strictSame(wrong, [])
  t.ok(checked > 1_500, `${checked} values`)
})
