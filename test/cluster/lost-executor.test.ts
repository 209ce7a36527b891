/** An executor that dies in the middle of a query costs time, never the answer. The soak tests do more of it. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { killRuns } from './kill-runs.ts'
import { makeTpch } from './tpch-runs.ts'

const RUNS = 6
const SCALE = 0.05

const folder = await mkdtemp(join(tmpdir(), 'skein-lost-executor-'))
t.teardown(() => rm(folder, { recursive: true }))

t.test('one of three executors is killed in each of some queries', async t => {
  const data = await makeTpch(SCALE, folder)
  const onRun = (line: string): void => { t.comment(line) }
  const { faults, hits } = await killRuns({ data, folder: join(folder, 'own'), runs: RUNS, onRun })
  t.strictSame(faults, [])
  t.ok(hits > 0, `${hits} were hit`)
})
