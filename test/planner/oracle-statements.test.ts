/** Odd statements, cut and run in one process, give plain DuckDB's rows, types and errors. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { difference } from './compare.ts'
import { InProcessCluster, type Answer } from './in-process-cluster.ts'
import { DEFAULTS, FORCED, Planning, writeTables } from './planning.ts'
import { decoded } from './statements.ts'
import { tables } from './tables.ts'

/** DuckDB folds count(*) over one file into a constant row, over several it does not: 1 row or 2. */
const ODD = new Set(['SELECT count(*) FROM t GROUP BY GROUPING SETS ((), ())'])

const folder = await mkdtemp(join(tmpdir(), 'skein-oracle-'))
t.teardown(() => rm(folder, { recursive: true }))
await writeTables(folder, tables, 3)
const planning = await Planning.open(folder, Object.keys(tables))
t.teardown(() => planning.close())

for (const [executors, thresholds] of [[3, FORCED], [2, { ...DEFAULTS, replicateRows: 0 }]] as const) {
  const cluster = await InProcessCluster.open(executors, planning.clusterTables, join(folder, `exchange-${executors}`))
  t.teardown(() => cluster.close())
  for (const [subject, statements] of Object.entries(decoded)) {
    t.test(`${subject}, on ${executors} with joins ${thresholds.broadcastRows === 0 ? 'by hash' : 'by cost'}`, async t => {
      const wrong: string[] = []
      for (const sql of statements.filter(statement => !ODD.has(statement))) {
        const expected = await attempt(planning.oracle(sql))
        const actual = await attempt(planning.plan(sql, thresholds).then(planned => cluster.run(planned.fragments, { TimeZone: 'UTC' })))
        const differs = compare(expected, actual, /ORDER BY [^)]*$/.test(sql))
        if (differs !== null) wrong.push(`${sql}: ${differs}`)
      }
      t.strictSame(wrong, [])
    })
  }
}

type Outcome = Answer | { readonly error: string }

function attempt(work: Promise<Answer>): Promise<Outcome> {
  return work.catch((thrown: unknown) => ({ error: thrown instanceof Error ? thrown.message.split('\n')[0] ?? '' : String(thrown) }))
}

function compare(expected: Outcome, actual: Outcome, inOrder: boolean): string | null {
  if (!('error' in expected) && !('error' in actual)) return difference(expected, actual, inOrder)
  const [a, b] = [expected, actual].map(outcome => 'error' in outcome ? outcome.error : 'rows')
  return a === b ? null : `${a} / ${b}`
}
