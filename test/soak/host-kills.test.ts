/**
 * Two hundred queries with shuffles on four executors over an etcd of three members, in each of which a random executor
 * is killed: two hundred right answers, in less than twice the time. RUNS, SEED and SCALE may be given.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { hostKillRuns, stopwatch } from '../cluster/host-kill-runs.ts'
import { makeTpch } from '../cluster/tpch-runs.ts'
import { haveEtcd } from '../etcd-server.ts'

const RUNS = Number(process.env['RUNS'] ?? 200)
const SEED = Number(process.env['SEED'] ?? 1)
const SCALE = Number(process.env['SCALE'] ?? 0.1)
const MAX_RATIO = 2

if (haveEtcd(t)) {
  const folder = await mkdtemp(join(tmpdir(), 'skein-host-kills-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))

  t.test('a random executor of four is killed in each of many queries', async t => {
    const data = await makeTpch(SCALE, folder)
    const time = stopwatch()
    const result = await hostKillRuns({
      data, folder: join(folder, 'hosts'), runs: RUNS, seed: SEED, onRun: line => { t.comment(`${time()} ${line}`) },
    })
    const { faults, hits, again, medianRatio } = result
    t.comment(`${RUNS} runs: ${hits} were hit, ${again} had tasks made again, median ratio ${medianRatio.toFixed(2)}`)
    t.strictSame(faults, [])
    t.ok(hits > RUNS / 2, `${hits} were hit`)
    t.ok(medianRatio < MAX_RATIO, `median ratio ${medianRatio}`)
  })
}
