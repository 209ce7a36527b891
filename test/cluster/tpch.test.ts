/** TPC-H at scale 0.1 on two and three executors: the part of the matrix that every run of the tests has. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeTpch, tpchFaults, type TpchMode } from './tpch-runs.ts'

const folder = await mkdtemp(join(tmpdir(), 'skein-tpch-cluster-'))
t.teardown(() => rm(folder, { recursive: true }))
const data = await makeTpch(0.1, folder)

const runs: readonly (readonly [number, TpchMode])[] = [
  [3, 'as planned'], [3, 'distribution forced'], [2, 'hash exchanges forced'],
]

for (const [executors, mode] of runs) {
  t.test(`all 22 answers are plain DuckDB's, ${executors} executors, ${mode}`, async t => {
    t.strictSame(await tpchFaults(data, executors, mode, join(folder, mode)), [])
  })
}
