/** Odd statements, cut and run in one process, against plain DuckDB: the same rows, types and errors. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { PlanThresholds } from '../../planner/planned-query.ts'
import { difference } from './compare.ts'
import { InProcessCluster, type Answer } from './in-process-cluster.ts'
import { Planning, writeTables } from './planning.ts'
import { decoded } from './statements.ts'
import { tables } from './tables.ts'

const FILES_PER_TABLE = 3
/** DuckDB folds count(*) over one file into a constant row, over several it does not: 1 row or 2. */
const ODD: ReadonlySet<string> = new Set(['SELECT count(*) FROM t GROUP BY GROUPING SETS ((), ())'])

/** One subtest a subject. `dividedBy`: as Planning.open has it. */
export async function compareStatements(
  t: Test, executors: number, thresholds: PlanThresholds, dividedBy: readonly string[] = [],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-oracle-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await writeTables(folder, tables, FILES_PER_TABLE)
  const planning = await Planning.open(folder, Object.keys(tables), dividedBy)
  t.teardown(() => planning.close())
  const cluster = await InProcessCluster.open(executors, planning.clusterTables, join(folder, 'exchange'))
  t.teardown(() => cluster.close())
  for (const [subject, statements] of Object.entries(decoded)) {
    await t.test(subject, async t => {
      const wrong: string[] = []
      for (const sql of statements.filter(statement => !ODD.has(statement))) {
        const expected = await attempt(planning.oracle(sql))
        const cut = planning.plan(sql, thresholds)
        const actual = await attempt(cut.then(({ fragments }) => cluster.run(fragments, { TimeZone: 'UTC' })))
        const differs = compare(expected, actual, /ORDER BY [^)]*$/.test(sql))
        if (differs !== null) wrong.push(`${sql}: ${differs}`)
      }
      t.strictSame(wrong, [])
    })
  }
}

type Outcome = Answer | { readonly error: string }

function attempt(work: Promise<Answer>): Promise<Outcome> {
  return work.catch((thrown: unknown) => {
    const [line = ''] = (thrown instanceof Error ? thrown.message : String(thrown)).split('\n')
    return { error: line }
  })
}

function compare(expected: Outcome, actual: Outcome, inOrder: boolean): string | null {
  if (!('error' in expected) && !('error' in actual)) return difference(expected, actual, inOrder)
  const [a, b] = [expected, actual].map(outcome => 'error' in outcome ? outcome.error : 'rows')
  return a === b ? null : `${a} / ${b}`
}
