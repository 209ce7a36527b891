/** TPC-H's questions, cut and run in one process, give plain DuckDB's rows and types, whatever the number of tasks. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { generate } from '../../bench/tpch/generate.ts'
import { tpchQueries } from '../../bench/tpch/queries.ts'
import { tableNames } from '../../bench/tpch/tables.ts'
import { difference } from './compare.ts'
import { InProcessCluster } from './in-process-cluster.ts'
import { DEFAULTS, FORCED, Planning } from './planning.ts'

const SCALE = 0.01
/** One task finds keys that work by luck; odd numbers leave parts empty. */
const SPLIT = { ...DEFAULTS, replicateRows: 0 }
const matrix = [
  { executors: 1, thresholds: FORCED }, { executors: 3, thresholds: FORCED },
  { executors: 2, thresholds: SPLIT }, { executors: 5, thresholds: SPLIT },
]

const folder = await mkdtemp(join(tmpdir(), 'skein-oracle-'))
t.teardown(() => rm(folder, { recursive: true }))
await generate({ scale: SCALE, folder })
const planning = await Planning.open(folder, tableNames)
t.teardown(() => planning.close())

for (const { executors, thresholds } of matrix) {
  t.test(`on ${executors} with joins ${thresholds.broadcastRows === 0 ? 'by hash' : 'by cost'}`, async t => {
    const exchange = join(folder, `exchange-${executors}`)
    const cluster = await InProcessCluster.open(executors, planning.clusterTables, exchange)
    const wrong: string[] = []
    for (const { number, sql } of tpchQueries(SCALE)) {
      const planned = await planning.plan(sql, thresholds)
      if (planned.wholeReason !== null) wrong.push(`Q${number}: ${planned.wholeReason}`)
      const actual = await cluster.run(planned.fragments, { TimeZone: 'UTC' })
      const differs = difference(await planning.oracle(sql), actual, true)
      if (differs !== null) wrong.push(`Q${number}: ${differs}`)
    }
    t.strictSame(wrong, [])
    await cluster.close()
  })
}
