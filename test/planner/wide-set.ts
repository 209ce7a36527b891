/**
 * The wide set of test/sql/wide, planned and cut in one process against plain DuckDB: what each statement came to. Its
 * tables are dealt over several files, so what is right by luck on one file is not.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { PlanThresholds } from '../../planner/planned-query.ts'
import { checkout } from '../checkout.ts'
import { readCases, type SqlCase } from '../sql/sql-logic.ts'
import { wideTables } from '../sql/wide/tables.ts'
import { difference } from './compare.ts'
import { InProcessCluster } from './in-process-cluster.ts'
import { Planning, writeTables } from './planning.ts'

const FILES_PER_TABLE = 3

export const wideCases: readonly SqlCase[] = readCases(new URL('test/sql/wide/', checkout))

export interface WideOutcome {
  readonly test: SqlCase
  /** null: it is distributed. */
  readonly wholeReason: string | null
  /** What differs from plain DuckDB; null: nothing. */
  readonly fault: string | null
}

/** Statements that run as their original text are not run: their answer is plain DuckDB's by construction. */
export async function runWideSet(
  t: Test, cases: readonly SqlCase[], executors: number, thresholds: PlanThresholds,
): Promise<readonly WideOutcome[]> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-wide-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await writeTables(folder, wideTables, FILES_PER_TABLE)
  const planning = await Planning.open(folder, Object.keys(wideTables))
  t.teardown(() => planning.close())
  const cluster = await InProcessCluster.open(executors, planning.clusterTables, join(folder, 'exchange'))
  t.teardown(() => cluster.close())
  const outcomes: WideOutcome[] = []
  for (const test of cases) outcomes.push(await run(planning, cluster, test, thresholds))
  return outcomes
}

async function run(
  planning: Planning, cluster: InProcessCluster, test: SqlCase, thresholds: PlanThresholds,
): Promise<WideOutcome> {
  const { sql } = test
  try {
    const expected = await planning.oracle(sql)
    const { fragments, sqlKind, wholeReason } = await planning.plan(sql, thresholds)
    if (sqlKind === 'original') return { test, wholeReason, fault: null }
    const actual = await cluster.run(fragments, { TimeZone: 'UTC' })
    return { test, wholeReason, fault: difference(expected, actual, test.ordered) }
  } catch (thrown) {
    return { test, wholeReason: null, fault: thrown instanceof Error ? thrown.message : String(thrown) }
  }
}
