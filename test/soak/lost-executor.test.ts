/** Sixty queries, in each of which one of three executors is killed: sixty right answers. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { killRuns } from '../cluster/kill-runs.ts'
import { makeTpch } from '../cluster/tpch-runs.ts'

const RUNS = 60
/** Large enough that a query runs for a second or so. */
const SCALE = 0.2

const folder = await mkdtemp(join(tmpdir(), 'skein-lost-executors-'))
t.teardown(() => rm(folder, { recursive: true }))

t.test('one of three executors is killed in each of many queries', async t => {
  const data = await makeTpch(SCALE, folder)
  const onRun = (line: string): void => { t.comment(line) }
  const { faults, hits, again } = await killRuns({ data, folder: join(folder, 'own'), runs: RUNS, onRun })
  t.strictSame(faults, [])
  t.ok(hits > RUNS / 2, `${hits} were hit`)
  t.ok(again > RUNS / 4, `${again} had tasks made again`)
})
